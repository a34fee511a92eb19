"""The Kubernetes objects that a stack declares, and the machines that it plans for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

import yaml

from infra.settings.instance import Instance
from infra.settings.instances.catalogue import Catalogue
from infra.settings.instances.host import Host
from infra.settings.stack_settings import StackSettings
from tests.engines.building import source, versions
from tests.engines.kubernetes.api import Api, Manifest
from tests.infra.graph.references.kubernetes import manifests
from tests.infra.recording import Declared

NAMESPACE = "penstock"
_FIRST = ("CustomResourceDefinition", "Namespace", "ServiceAccount")
_GPU = "nvidia.com/gpu"
_DAEMONS = {"cpu": "180m", "memory": "200Mi"}
"""What the add-ons on every node ask for, as the plan of machines has it."""


def definitions() -> Iterator[Manifest]:
    """Yield KEDA's and Karpenter's own definitions of their kinds."""
    pinned = versions()["programs"]
    folders = [
        source("github.com/kedacore/keda/v2", pinned["keda"]) / "config" / "crd" / "bases",
        source("github.com/aws/karpenter-provider-aws", pinned["karpenter"]) / "pkg/apis/crds",
    ]
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            yield from (each for each in yaml.safe_load_all(path.read_text()) if each)


def objects(declared: Declared) -> list[dict[str, Any]]:
    """Return what a stack declares, in an order in which it can be applied."""
    found = [dict(manifest) for manifest in manifests(declared)]
    order = {kind: at for at, kind in enumerate(_FIRST)}
    return sorted(found, key=lambda manifest: order.get(manifest["kind"], len(order)))


def apply_all(api: Api, declared: Declared) -> list[dict[str, Any]]:
    """Apply a whole stack; return its objects as the server keeps them."""
    return [api.apply(manifest) for manifest in objects(declared)]


def remove_all(api: Api, declared: Declared) -> None:
    """Delete a whole stack but its namespaces, whose end takes long, the last first."""
    for manifest in reversed(objects(declared)):
        if manifest["kind"] != "Namespace":
            api.delete(manifest)


@dataclass(frozen=True)
class Planned:
    """A deployment and the machine that it is planned for."""

    name: str
    instance: Instance
    host: Host


def planned(settings: StackSettings) -> list[Planned]:
    """Return every deployment with its machine."""
    catalogue = Catalogue.load()
    return [
        Planned(f"{model_id}-{name}", instance, catalogue.cheapest_for(instance))
        for model_id, model in settings.models.items()
        for name, deployment in model.deployments.items()
        for instance in [Instance.parse(deployment.instance)]
    ]


def node(name: str, host: Host, labels: Mapping[str, str], taints: Mapping[str, str]) -> Manifest:
    """Return a node as kubelet on EKS registers it: what the system keeps is not allocatable.

    Sources: nodeadm's reservations (255 MiB and 11 MiB for each pod; 6 %, 1 %, 0.5 % and 0.25 % of
    the cores), 100 MiB before kubelet evicts, 7.5 % of the memory that the machine never shows.
    """
    cores = [60, 10, 5, 5, *[2.5] * max(0, host.vcpu - 4)][: host.vcpu]
    visible_mib = floor(host.memory_gib * 1_024 * 0.925)
    reserved_mib = 255 + 11 * min(host.max_pods, 737) + 100
    capacity = {"cpu": str(host.vcpu), "memory": f"{visible_mib}Mi", "pods": str(host.max_pods)}
    capacity["ephemeral-storage"] = "200Gi"
    if host.gpu:
        capacity[_GPU] = str(host.gpu_count)
    allocatable = {
        **capacity,
        "cpu": f"{floor(1_000 * host.vcpu - sum(cores))}m",
        "memory": f"{visible_mib - reserved_mib}Mi",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", **labels},
        },
        "spec": {
            "taints": [
                {"key": key, "value": value, "effect": "NoSchedule"}
                for key, value in taints.items()
            ]
        },
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    }


def daemons(node_name: str) -> Manifest:
    """Return one pod that asks for what all daemons of a node ask for."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"daemons-{node_name}", "namespace": "kube-system"},
        "spec": {
            "nodeName": node_name,
            "containers": [
                {
                    "name": "daemons",
                    "image": "registry.k8s.io/pause:3.10",
                    "resources": {"requests": _DAEMONS},
                }
            ],
            "tolerations": [{"operator": "Exists"}],
        },
    }
