"""Karpenter instead of managed groups."""

from typing import Any

import pytest

from tests.infra.cluster.platforms import platform
from tests.infra.recording import ACCOUNT, REGION, Declared

KARPENTER = "platform-karpenter"


@pytest.fixture(scope="module")
def declared() -> Declared:
    return platform(autoscaler="karpenter")


def _pool(declared: Declared, group: str) -> dict[str, Any]:
    pool = declared.named(f"{KARPENTER}-pools-{group}-pool", ":NodePool")
    spec: dict[str, Any] = pool.inputs["spec"]
    return spec


def test_no_group_of_workers_is_managed(declared: Declared) -> None:
    assert [g.name for g in declared.of_type("eks/nodeGroup:NodeGroup")] == [
        "platform-cluster-system-nodes"
    ]
    assert declared.of_type("autoscaling/tag:Tag") == []


def test_a_pool_offers_the_machines_that_were_planned(declared: Declared) -> None:
    spec = _pool(declared, "l4-g6-xlarge-spot")
    template = spec["template"]

    assert template["metadata"]["labels"] == {
        "penstock.dev/gpu": "L4",
        "nvidia.com/gpu.present": "true",
    }
    assert template["spec"]["requirements"] == [
        {
            "key": "node.kubernetes.io/instance-type",
            "operator": "In",
            "values": ["g6.xlarge", "g6.2xlarge"],
        },
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]},
    ]
    assert spec["limits"] == {"cpu": "16", "nvidia.com/gpu": "4"}
    assert spec["disruption"]["consolidationPolicy"] == "WhenEmpty"


def test_spot_is_tried_before_on_demand(declared: Declared) -> None:
    for machine in ("l4-g6-xlarge", "h100-p5-48xlarge", "cpu-m6i-xlarge"):
        spot, on_demand = (
            _pool(declared, f"{machine}-spot"),
            _pool(declared, f"{machine}-on-demand"),
        )
        assert spot["weight"] > on_demand["weight"]


def test_pools_go_before_karpenter_does(declared: Declared) -> None:
    release = declared.named(f"{KARPENTER}-release", ":Release")
    classes = declared.of_type(":EC2NodeClass")

    assert len(classes) == 6
    for node_class in classes:
        assert release.urn in node_class.depends_on
        name = node_class.name.removesuffix("-class")
        assert node_class.urn in declared.named(f"{name}-pool", ":NodePool").depends_on


def test_nodes_may_join_though_eks_did_not_start_them(declared: Declared) -> None:
    role = declared.named("platform-cluster-node-role", ":Role")
    entry = declared.named(f"{KARPENTER}-nodes", ":AccessEntry")

    assert entry.inputs["type"] == "EC2_LINUX"
    assert entry.inputs["principalArn"] == role.outputs["arn"]
    profile = declared.named(f"{KARPENTER}-profile", ":InstanceProfile")
    spec = declared.of_type(":EC2NodeClass")[0].inputs["spec"]
    assert spec["instanceProfile"] == profile.outputs["name"]


def test_ec2_warns_through_a_queue_that_only_its_rules_fill(declared: Declared) -> None:
    (queue,) = declared.of_type("sqs/queue:Queue")
    rules = declared.of_type(":EventRule")
    *refused, granted = declared.named(f"{KARPENTER}-interruptions-policy", ":QueuePolicy").policy()

    assert len(rules) == len(declared.of_type(":EventTarget")) == 4
    assert {t.inputs["arn"] for t in declared.of_type(":EventTarget")} == {queue.outputs["arn"]}
    assert {s["Effect"] for s in refused} == {"Deny"}
    assert granted["Principal"] == {"Service": "events.amazonaws.com"}
    assert set(granted["Condition"]["ArnEquals"]["aws:SourceArn"]) == {
        rule.outputs["arn"] for rule in rules
    }
    values = declared.named(f"{KARPENTER}-release", ":Release").inputs["values"]
    assert values["settings"]["interruptionQueue"] == queue.outputs["name"]


def test_karpenter_starts_and_ends_its_own_machines_only(declared: Declared) -> None:
    statements = declared.named(f"{KARPENTER}-pod-permissions", ":RolePolicy").policy()
    ending = [s for s in statements if "ec2:TerminateInstances" in s["Action"]]

    assert [s["Condition"] for s in ending] == [
        {
            "StringEquals": {"aws:ResourceTag/kubernetes.io/cluster/main": "owned"},
            "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"},
        }
    ]
    (passing,) = [s for s in statements if s["Action"] == "iam:PassRole"]
    assert passing["Resource"] == f"arn:aws:iam::{ACCOUNT}:platform-cluster-node-role"
    unbound = {
        action
        for s in statements
        if s["Resource"] == "*"
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert all(action.split(":")[1].startswith(("Describe", "GetProducts")) for action in unbound)


def test_without_a_way_out_karpenter_does_not_ask_for_prices() -> None:
    isolated = platform(autoscaler="karpenter", egress="private")

    for declared, wanted in ((isolated, True), (platform(autoscaler="karpenter"), False)):
        values = declared.named(f"{KARPENTER}-release", ":Release").inputs["values"]
        assert values["settings"]["isolatedVPC"] is wanted
    assert REGION in isolated.named(f"{KARPENTER}-pod-permissions", ":RolePolicy").inputs["policy"]
