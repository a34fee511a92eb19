"""Buckets, queues and topics refuse plain HTTP and other accounts, and nobody else."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.cluster.platforms import platform
from tests.infra.recording import ACCOUNT, Declared, Registered, record

POLICIES = {
    "s3/bucketPolicy:BucketPolicy": "s3:PutObject",
    "sqs/queuePolicy:QueuePolicy": "sqs:SendMessage",
    "sns/topicPolicy:TopicPolicy": "sns:Publish",
}
"""What guards each kind of resource, and what callers do there."""

TLS = {"aws:SecureTransport": "true"}
OUR_ROLE = {**TLS, "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalIsAWSService": "false"}
"""Also behind a presigned URL: whoever signed it is the caller."""

STRANGER = {**OUR_ROLE, "aws:PrincipalAccount": "999999999999"}
NOBODY = TLS
AWS_SERVICE = {**TLS, "aws:PrincipalIsAWSService": "true"}
"""SNS that delivers to a queue, EventBridge, an alarm, S3 that delivers logs."""


def _policies(declared: Declared) -> list[tuple[Registered, str]]:
    return [(p, action) for kind, action in POLICIES.items() for p in declared.of_type(kind)]


def _holds(operator: str, wanted: str, found: str | None) -> bool:
    match operator:
        case "Bool":
            return found == wanted
        case "BoolIfExists":
            return found in {None, wanted}
        case "StringNotEqualsIfExists":
            return found != wanted
    raise AssertionError(f"teach this test {operator}")


def _is_refused(policy: Registered, action: str, caller: dict[str, str]) -> bool:
    return any(
        all(
            _holds(operator, wanted, caller.get(key))
            for operator, keys in statement["Condition"].items()
            for key, wanted in keys.items()
        )
        for statement in policy.policy()
        if statement["Effect"] == "Deny" and _covers(statement["Action"], action)
    )


def _covers(actions: Any, action: str) -> bool:
    patterns = [actions] if isinstance(actions, str) else actions
    return any(fnmatchcase(action, pattern) for pattern in patterns)


@pytest.mark.parametrize(
    ("caller", "is_refused"),
    [
        (OUR_ROLE, False),
        (AWS_SERVICE, False),
        (STRANGER, True),
        (NOBODY, True),
        ({**OUR_ROLE, "aws:SecureTransport": "false"}, True),
        ({**AWS_SERVICE, "aws:SecureTransport": "false"}, True),
    ],
    ids=["our role", "AWS itself", "stranger", "nobody", "ours in the clear", "AWS in the clear"],
)
def test_strangers_and_plain_http_are_refused(
    stack: Declared, caller: dict[str, str], *, is_refused: bool
) -> None:
    everywhere = [*_policies(stack), *_policies(platform(autoscaler="karpenter"))]

    assert len(everywhere) > 15
    for policy, action in everywhere:
        assert _is_refused(policy, action, caller) is is_refused, policy.name


def test_every_bucket_queue_and_topic_has_a_policy(
    created_settings: StackSettings, artifacts: Artifacts
) -> None:
    whole = record(lambda: declare_stack(created_settings, artifacts))
    guarded = {
        *(p.inputs["bucket"] for p in whole.of_type(":BucketPolicy")),
        *(p.inputs["queueUrl"] for p in whole.of_type(":QueuePolicy")),
        *(p.inputs["arn"] for p in whole.of_type(":TopicPolicy")),
    }

    assert guarded == {
        *(b.outputs["bucket"] for b in whole.of_type("s3/bucket:Bucket")),
        *(q.outputs["url"] for q in whole.of_type("sqs/queue:Queue")),
        *(t.outputs["arn"] for t in whole.of_type("sns/topic:Topic")),
    }


def test_aws_itself_is_let_in_only_for_sources_that_are_named(stack: Declared) -> None:
    everywhere = [*_policies(stack), *_policies(platform(autoscaler="karpenter"))]
    granted = [s for p, _ in everywhere for s in p.policy() if s["Effect"] == "Allow"]

    assert {s["Principal"]["Service"] for s in granted} == {
        "sns.amazonaws.com",
        "events.amazonaws.com",
    }
    for statement in granted:
        sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert sources
        assert all(f":{ACCOUNT}:" in source for source in sources), statement
