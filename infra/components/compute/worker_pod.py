"""The pod of a worker: the dispatcher, with the model server as its sidecar."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.compute.containers import TMP, hardened, probe, variables
from infra.components.compute.model_environment import environment_mount, environment_volume
from infra.components.compute.model_server import (
    DISPATCHER_PORT,
    MODEL_SERVER,
    ModelImage,
    model_server,
)
from infra.components.fleet.node_labels import CPU_TAINT, GPU_LABEL, GPU_TAINT, NO_GPU
from infra.settings.instance import DISPATCHER_MIB, DISPATCHER_MILLICORES, Instance
from infra.settings.models.model_server import ModelServerSettings

_DISPATCHER_USER = 10_001  # `runtime_image/Dockerfile`
_SHUTDOWN_SECONDS = 30  # between the end of the drain and SIGKILL
_UNDISTURBED = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
_WITHOUT_AWS = {"eks.amazonaws.com/skip-containers": MODEL_SERVER}
"""The model is its author's code: EKS Pod Identity gives it no credentials of the dispatcher's."""

_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": str(DISPATCHER_PORT)}


@dataclass(frozen=True, kw_only=True)
class WorkerPodArgs:
    """What a pod needs to know."""

    labels: Mapping[str, str]
    service_account: pulumi.Input[str]
    instance: Instance
    dispatcher_image: pulumi.Input[str]
    dispatcher_environment: Mapping[str, pulumi.Input[str]]
    model_image: ModelImage
    model_server: ModelServerSettings
    environment_file: pulumi.Input[str] | None
    """What tells the model server its environment, if it asks for that."""

    spool_gib: int
    """How much disk the dispatcher may fill."""

    drain_seconds: int
    """How long running requests may go on after SIGTERM."""

    restart_after_stop: bool
    """Whether the dispatcher says when the model server must be restarted."""

    has_worker_nodes: bool
    """Whether there are nodes for workers without a GPU alone."""


def worker_pod(args: WorkerPodArgs) -> k8s.core.v1.PodTemplateSpecArgsDict:
    """Return the pod: hardened, not evicted while it works, given time to drain."""
    spec: k8s.core.v1.PodSpecArgsDict = {
        "service_account_name": args.service_account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": args.drain_seconds + _SHUTDOWN_SECONDS,
        "security_context": {
            "run_as_non_root": True,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        # A sidecar: it is ended when the dispatcher is gone, so that a drain can finish on it.
        "init_containers": [_server(args)],
        "containers": [_dispatcher(args)],
        "volumes": _volumes(args),
    }
    if args.instance.gpu or args.has_worker_nodes:
        taint = GPU_TAINT if args.instance.gpu else CPU_TAINT
        spec["node_selector"] = {GPU_LABEL: args.instance.gpu or NO_GPU}
        spec["tolerations"] = [{"key": taint, "operator": "Exists", "effect": "NoSchedule"}]
    annotations = {**_UNDISTURBED, **_SCRAPED, **_WITHOUT_AWS}
    return {"metadata": {"labels": args.labels, "annotations": annotations}, "spec": spec}


def _volumes(args: WorkerPodArgs) -> list[k8s.core.v1.VolumeArgsDict]:
    volumes: list[k8s.core.v1.VolumeArgsDict] = [
        {"name": "dispatcher-tmp", "empty_dir": {"size_limit": f"{args.spool_gib}Gi"}},
        {"name": "model-tmp", "empty_dir": {}},
    ]
    if args.environment_file is not None:
        volumes.append(environment_volume(args.environment_file))
    return volumes


def _server(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    return model_server(
        args.model_server,
        args.model_image,
        args.instance,
        mounts=[] if args.environment_file is None else [environment_mount()],
        restart_after_stop=args.restart_after_stop,
    )


def _dispatcher(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    return {
        "name": "dispatcher",
        "image": args.dispatcher_image,
        "command": ["python", "-m", "runtime_image.dispatcher"],
        "env": variables(args.dispatcher_environment),
        "ports": [{"name": "metrics", "container_port": DISPATCHER_PORT}],
        "resources": {
            "requests": {"cpu": f"{DISPATCHER_MILLICORES}m", "memory": f"{DISPATCHER_MIB}Mi"},
            "limits": {"memory": "1Gi"},
        },
        "liveness_probe": probe("/healthz", DISPATCHER_PORT, period_seconds=10, failures=6),
        "readiness_probe": probe("/readyz", DISPATCHER_PORT, period_seconds=5, failures=1),
        "security_context": hardened(_DISPATCHER_USER, read_only=True),
        "volume_mounts": [{"name": "dispatcher-tmp", "mount_path": TMP}],
    }
