"""The whole stack with a cluster of its own: workers and nodes agree."""

import json
from collections import Counter
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.instance import Instance
from infra.settings.stack_settings import StackSettings
from tests.infra.conformance import faults
from tests.infra.custom_resources import check_with_keda
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, Registered, record

WORKERS = ["ocr-v1", "ocr-v2", "echo-v1"]


@pytest.fixture(scope="module")
def whole(created_settings: StackSettings, artifacts: Artifacts) -> Declared:
    return record(lambda: declare_stack(created_settings, artifacts), stack="dev")


def _pod(declared: Declared, deployment_id: str) -> dict[str, Any]:
    workers = declared.named(f"{deployment_id}-workers", "apps/v1:Deployment").inputs
    spec: dict[str, Any] = workers["spec"]["template"]["spec"]
    return spec


def test_every_input_has_the_type_that_its_provider_wants(whole: Declared) -> None:
    checked = [r for r in whole if r.type.startswith(("aws:", "docker-build:"))]

    assert [fault for resource in checked for fault in faults(resource)] == []


def test_names_are_unique(whole: Declared) -> None:
    counts = Counter((r.type, r.name) for r in whole)

    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("version", ["1.33", "1.35"])
def test_every_kubernetes_object_is_valid(whole: Declared, version: str) -> None:
    own = ("keda.sh", "helm.sh")
    objects = [r for r in whole if r.type.startswith("kubernetes:")]

    for resource in objects:
        if not resource.type.startswith(tuple(f"kubernetes:{group}" for group in own)):
            check_manifest(resource.inputs, version)


def test_keda_takes_every_scaled_object(whole: Declared) -> None:
    for resource in whole.of_type(":ScaledObject"):
        check_with_keda(resource.inputs)


def test_every_kubernetes_object_goes_to_the_new_cluster(whole: Declared) -> None:
    (provider,) = whole.of_type("providers:kubernetes")
    objects = [r for r in whole if r.type.startswith("kubernetes:")]

    assert "kubeconfig" in provider.inputs
    assert [r.name for r in objects if not r.provider.startswith(provider.urn)] == []


def test_all_of_it_carries_the_stacks_tags(whole: Declared) -> None:
    provider = whole.named("aws", "providers:aws")
    tags = {"Project": "penstock", "Environment": "dev", "Owner": "your-team"}

    assert json.loads(provider.inputs["defaultTags"])["tags"] == tags
    for template in whole.of_type(":LaunchTemplate"):
        for kind in template.inputs["tagSpecifications"]:
            assert tags.items() <= kind["tags"].items()


def test_workers_have_identities_in_the_new_cluster(whole: Declared) -> None:
    identities = whole.of_type(":PodIdentityAssociation")

    assert {i.inputs["clusterName"] for i in identities} == {"penstock-dev"}


@pytest.mark.parametrize("deployment_id", WORKERS)
def test_a_worker_comes_after_its_identity_nodes_and_what_scales_it(
    whole: Declared, deployment_id: str
) -> None:
    workers = whole.named(f"{deployment_id}-workers", "apps/v1:Deployment")
    scaling = whole.named(f"{deployment_id}-scaling", ":ScaledObject")
    first = [
        whole.named(f"{deployment_id}-identity", ":PodIdentityAssociation"),
        whole.named("platform-cluster-for-pods-coredns", ":Addon"),
        whole.named("platform-gpus-device-plugin", ":Release"),
        whole.named("platform-keda-credentials", ":ClusterTriggerAuthentication"),
    ]

    assert {r.urn for r in first} <= workers.depends_on
    assert workers.urn in scaling.depends_on
    used = {t["authenticationRef"]["name"] for t in scaling.inputs["spec"]["triggers"][:3]}
    assert used == {first[-1].inputs["metadata"]["name"]}


def _takes(group: Registered, pod: dict[str, Any]) -> bool:
    """Tell whether the scheduler would put `pod` on a node of `group`."""
    nodes = group.inputs
    tolerated = {toleration["key"] for toleration in pod.get("tolerations", ())}
    chosen = pod.get("nodeSelector", {}).items() <= nodes.get("labels", {}).items()
    return chosen and {taint["key"] for taint in nodes["taints"]} <= tolerated


@pytest.mark.parametrize(
    ("deployment_id", "group"),
    [
        ("ocr-v1", "cpu-m6i-xlarge"),
        ("ocr-v2", "l4-g6-xlarge"),
    ],
)
def test_a_worker_finds_its_nodes_and_no_others_of_another_kind(
    whole: Declared, deployment_id: str, group: str
) -> None:
    pod = _pod(whole, deployment_id)
    taking = {g.name for g in whole.of_type("eks/nodeGroup:NodeGroup") if _takes(g, pod)}

    assert f"platform-fleet-{group}-spot-nodes" in taking
    kind = group.partition("-")[0]
    assert {name.split("-")[2] for name in taking} == {kind}


@pytest.mark.parametrize("deployment_id", WORKERS)
def test_a_pod_asks_for_what_its_machine_was_chosen_by(
    whole: Declared, created_settings: StackSettings, deployment_id: str
) -> None:
    model, _, name = deployment_id.partition("-")
    instance = Instance.parse(created_settings.models[model].deployments[name].instance)
    pod = _pod(whole, deployment_id)
    asked = [c["resources"]["requests"] for c in [*pod["initContainers"], *pod["containers"]]]

    assert sum(int(a["cpu"].removesuffix("m")) for a in asked) == instance.pod_millicores
    assert sum(int(a["memory"].removesuffix("Mi")) for a in asked) == instance.pod_mib


def test_the_autoscaler_waits_for_the_longest_drain(whole: Declared) -> None:
    release = whole.named("platform-autoscaler-release", ":Release").inputs
    waits = release["values"]["extraArgs"]["max-graceful-termination-sec"]

    graces = [_pod(whole, worker)["terminationGracePeriodSeconds"] for worker in WORKERS]
    assert max(graces) <= waits


def test_the_cluster_stays_when_there_is_no_model(
    created_settings: StackSettings, artifacts: Artifacts
) -> None:
    empty = created_settings.model_copy(update={"models": {}})

    declared = record(lambda: declare_stack(empty, artifacts))

    assert len(declared.of_type("eks/cluster:Cluster")) == 1
    assert len(declared.of_type("eks/nodeGroup:NodeGroup")) == 1
    assert declared.of_type("apps/v1:Deployment") == []
