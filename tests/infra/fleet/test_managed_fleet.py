"""Worker nodes as managed groups: from none, found by their workers, sized by the autoscaler."""

from typing import Any

import pytest
import yaml

from infra.components.fleet.managed_fleet import scale_from_zero_tags
from infra.settings.instances.catalogue import Catalogue
from tests.infra.cluster.platforms import platform
from tests.infra.recording import ACCOUNT, REGION

FLEET = "platform-fleet"
GROUPS = {
    "l4-g6-xlarge-spot",
    "l4-g6-xlarge-on-demand",
    "h100-p5-48xlarge-spot",
    "h100-p5-48xlarge-on-demand",
    "cpu-m6i-xlarge-spot",
    "cpu-m6i-xlarge-on-demand",
}


def _nodes(name: str) -> dict[str, Any]:
    return platform().named(f"{FLEET}-{name}-nodes", ":NodeGroup").inputs


def _values() -> dict[str, Any]:
    release = platform().named("platform-autoscaler-release", ":Release")
    values: dict[str, Any] = release.inputs["values"]
    return values


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_a_group_begins_with_no_node_and_is_left_to_the_autoscaler(name: str) -> None:
    group = platform().named(f"{FLEET}-{name}-nodes", ":NodeGroup")

    assert group.inputs["scalingConfig"]["minSize"] == 0
    assert group.inputs["scalingConfig"]["desiredSize"] == 0
    assert group.ignored_changes == ("scalingConfig.desiredSize",)
    assert group.inputs["nodeRepairConfig"] == {"enabled": True}
    assert group.inputs["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "MINIMAL"}


def test_there_is_a_group_for_each_machine_and_capacity_type() -> None:
    groups = platform().of_type("eks/nodeGroup:NodeGroup")

    assert {g.name for g in groups} == {
        "platform-cluster-system-nodes",
        *(f"{FLEET}-{name}-nodes" for name in GROUPS),
    }
    assert _nodes("h100-p5-48xlarge-spot")["scalingConfig"]["maxSize"] == 2  # 3 pods, 2 a node
    assert _nodes("l4-g6-xlarge-spot")["capacityType"] == "SPOT"
    assert _nodes("l4-g6-xlarge-on-demand")["capacityType"] == "ON_DEMAND"
    assert _nodes("l4-g6-xlarge-spot")["instanceTypes"] == ["g6.xlarge", "g6.2xlarge"]


def test_gpu_nodes_take_only_who_asks_for_their_gpu() -> None:
    nodes = _nodes("l4-g6-xlarge-spot")

    assert nodes["amiType"] == "AL2023_x86_64_NVIDIA"
    assert nodes["labels"] == {
        "penstock.dev/gpu": "L4",
        "nvidia.com/gpu.present": "true",
        "k8s.amazonaws.com/accelerator": "nvidia-l4",
    }
    assert nodes["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
    ]


def test_cpu_nodes_take_only_workers() -> None:
    nodes = _nodes("cpu-m6i-xlarge-spot")

    assert nodes["amiType"] == "AL2023_x86_64_STANDARD"
    assert nodes["labels"] == {"penstock.dev/gpu": "none"}
    assert nodes["taints"] == [
        {"key": "penstock.dev/workers", "value": "present", "effect": "NO_SCHEDULE"}
    ]


def test_a_group_without_nodes_says_what_a_node_of_it_would_be() -> None:
    prefix = "k8s.io/cluster-autoscaler"
    template = f"{prefix}/node-template"

    assert scale_from_zero_tags("main", Catalogue.load().host("g6.12xlarge")) == {
        f"{prefix}/enabled": "true",
        f"{prefix}/main": "owned",
        f"{template}/label/penstock.dev/gpu": "L4",
        f"{template}/label/nvidia.com/gpu.present": "true",
        f"{template}/label/k8s.amazonaws.com/accelerator": "nvidia-l4",
        f"{template}/taint/nvidia.com/gpu": "present:NoSchedule",
        f"{template}/resources/nvidia.com/gpu": "4",
        f"{template}/resources/ephemeral-storage": "3760G",
    }


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_the_tags_are_on_the_auto_scaling_group_itself(name: str) -> None:
    group = platform().named(f"{FLEET}-{name}-nodes", ":NodeGroup")
    tags = [
        t
        for t in platform().of_type("autoscaling/tag:Tag")
        if t.name.startswith(f"{FLEET}-{name}-")
    ]

    host = Catalogue.load().host(group.inputs["instanceTypes"][0])
    wanted = scale_from_zero_tags("main", host)
    assert {t.inputs["tag"]["key"]: t.inputs["tag"]["value"] for t in tags} == wanted
    scaling_group = group.outputs["resources"][0]["autoscalingGroups"][0]["name"]
    assert {t.inputs["autoscalingGroupName"] for t in tags} == {scaling_group}
    assert not any(t.inputs["tag"]["propagateAtLaunch"] for t in tags)


def test_the_system_nodes_are_not_the_autoscalers() -> None:
    tagged = {t.inputs["autoscalingGroupName"] for t in platform().of_type(":Tag")}

    assert not any("system" in name for name in tagged)


def test_spot_is_tried_first_and_a_long_drain_is_waited_for() -> None:
    arguments = _values()["extraArgs"]

    assert arguments["expander"] == "priority,least-waste"
    assert arguments["max-node-provision-time"] == "20m"
    assert arguments["max-graceful-termination-sec"] == 3_600 + 60
    assert arguments["scale-down-unneeded-time"] == "10m"
    # Numbers as keys: as a mapping the chart would quote them.
    assert yaml.safe_load(_values()["expanderPriorities"]) == {
        20: [".*-spot-.*"],
        10: [".*-on-demand-.*"],
    }


def test_the_autoscaler_is_that_of_the_clusters_version() -> None:
    assert _values()["image"]["tag"] == "v1.35.0"
    assert _values()["autoDiscovery"] == {"clusterName": "main"}


def test_the_autoscaler_may_size_its_own_groups_only() -> None:
    declared = platform()
    statements = declared.named("platform-autoscaler-pod-permissions", ":RolePolicy").policy()
    looking, managed, sizing = statements

    assert all(action.split(":")[1].startswith("Describe") for action in looking["Action"])
    assert managed["Resource"] == f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/main/*"
    assert sizing["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/main": "owned"}
    }
    identity = declared.named("platform-autoscaler-pod-identity", ":PodIdentityAssociation")
    assert identity.inputs["serviceAccount"] == _values()["rbac"]["serviceAccount"]["name"]
    release = declared.named("platform-autoscaler-release", ":Release")
    assert identity.urn in release.depends_on
