"""Whatever one resource says of another is of something that is there, and of the right kind."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.contracts.request_id import model_fingerprint
from tests.infra.conftest import Stacks
from tests.infra.graph.references.arns import unknown_arns, unknown_queues
from tests.infra.graph.references.inputs import strays, used_places
from tests.infra.graph.references.kubernetes import (
    Place,
    homeless_pods,
    missing_objects,
    unguarded_pods,
)
from tests.infra.graph.references.places import PLACES, PLACES_OF_TYPES, VARIABLES
from tests.infra.recording import Declared

ELSEWHERE = {
    # AWS's own.
    "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
    "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
    "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*",
    "arn:aws:ssm:us-east-1::parameter/aws/service/*",
    # What the settings name.
    "arn:aws:iam::123456789012:role/deployer",
    "arn:aws:s3:::your-recordings",
    "arn:aws:s3:::your-recordings/*",
    "arn:aws:s3:::your-transcripts",
    "arn:aws:s3:::your-transcripts/done/*",
    "arn:aws:s3:::your-transcripts/failed/*",
    # The account itself, and all of a kind in it, which a condition of the statement narrows.
    "arn:aws:iam::123456789012:root",
    "arn:aws:logs:us-east-1:123456789012:log-group:*",
    "arn:aws:sns:us-east-1:123456789012:*",
    "arn:aws:sqs:us-east-1:123456789012:*",
    # What autoscalers make and find.
    "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*",
    "arn:aws:ec2:us-east-1:*:capacity-reservation/*",
    "arn:aws:ec2:us-east-1:*:fleet/*",
    "arn:aws:ec2:us-east-1:*:image/*",
    "arn:aws:ec2:us-east-1:*:instance/*",
    "arn:aws:ec2:us-east-1:*:launch-template/*",
    "arn:aws:ec2:us-east-1:*:network-interface/*",
    "arn:aws:ec2:us-east-1:*:security-group/*",
    "arn:aws:ec2:us-east-1:*:snapshot/*",
    "arn:aws:ec2:us-east-1:*:spot-instances-request/*",
    "arn:aws:ec2:us-east-1:*:subnet/*",
    "arn:aws:ec2:us-east-1:*:volume/*",
    "arn:aws:eks:us-east-1:123456789012:nodegroup/penstock-dev/*",
    "arn:aws:eks:us-east-1:123456789012:nodegroup/penstock-prod/*",
    "arn:aws:iam::123456789012:instance-profile/*",
}
"""ARNs of nothing in the stack, every one on purpose."""


@pytest.fixture(scope="module")
def all_stacks(declared_stack: Stacks) -> list[Declared]:
    return [declared_stack(name) for name in ("dev", "prod", "other")]


def test_every_reference_is_to_a_resource_of_its_kind(graph: Declared) -> None:
    assert [s for s in strays(graph) if not s.endswith(" is alias/aws/sns")] == []


def test_every_kind_of_reference_is_made_somewhere(all_stacks: list[Declared]) -> None:
    used = set().union(*map(used_places, all_stacks))

    assert used == {*PLACES, *PLACES_OF_TYPES, *VARIABLES}


def test_every_arn_is_of_something_in_the_stack_or_elsewhere_on_purpose(
    all_stacks: list[Declared],
) -> None:
    assert set().union(*map(unknown_arns, all_stacks)) == ELSEWHERE


def test_every_address_of_a_queue_is_of_one_in_the_stack(graph: Declared) -> None:
    assert unknown_queues(graph) == set()


def test_every_kubernetes_object_that_is_named_is_there(graph: Declared) -> None:
    assert missing_objects(graph) == set()


def test_every_budget_guards_the_pods_of_one_deployment(graph: Declared) -> None:
    assert unguarded_pods(graph) == set()


def test_every_pod_has_a_kind_of_node_that_takes_it(graph: Declared) -> None:
    assert homeless_pods(graph) == set()


def _without(declared: Declared, kind: str, name: str) -> Declared:
    gone = declared.named(name, kind)
    return replace(declared, resources=tuple(r for r in declared if r is not gone))


def _with(declared: Declared, kind: str, name: str, **inputs: Any) -> Declared:
    """Return the stack with other inputs of one resource."""
    old = declared.named(name, kind)
    new = replace(old, inputs={**old.inputs, **inputs})
    return replace(declared, resources=tuple(new if r is old else r for r in declared))


def test_a_reference_to_nothing_and_to_another_kind_is_found(declared_stack: Stacks) -> None:
    dev = declared_stack("dev")
    topic = dev.named("notifications-failed", "sns/topic:Topic").outputs["arn"]

    gone = _without(dev, "sqs/queue:Queue", "ocr-v1-p1")
    mistaken = _with(dev, ":EventSourceMapping", "functions-webhooks-source", eventSourceArn=topic)

    assert any(s.startswith("Deployment ocr-v1-workers: PENSTOCK_QUEUE_URL") for s in strays(gone))
    assert any(s.startswith("ScaledObject ocr-v1-scaling: queueURL") for s in strays(gone))
    assert len(unknown_queues(gone)) == 1
    assert len(unknown_arns(gone) - ELSEWHERE) == 1
    assert f"EventSourceMapping functions-webhooks-source: eventSourceArn is {topic}" in strays(
        mistaken
    )


def test_a_kubernetes_object_that_is_gone_is_missed(declared_stack: Stacks) -> None:
    dev = declared_stack("dev")

    accountless = _without(dev, ":ServiceAccount", "ocr-v1-account")
    nodeless = _without(dev, ":NodeGroup", "platform-fleet-cpu-m6i-xlarge-spot-nodes")
    workless = _without(dev, "apps/v1:Deployment", "ocr-v1-workers")

    account = f"{model_fingerprint('ocr')}-ocr-v1"
    assert missing_objects(accountless) == {Place("ServiceAccount", "penstock", account)}
    assert missing_objects(workless) == {Place("Deployment", "penstock", "ocr-v1")}
    assert unguarded_pods(workless) == {"ocr-v1"}
    assert homeless_pods(nodeless) == set()  # the smaller machines have the same labels
    assert homeless_pods(
        _without(nodeless, ":NodeGroup", "platform-fleet-cpu-c6i-large-spot-nodes")
    ) == {"echo-v1", "ocr-v1"}
