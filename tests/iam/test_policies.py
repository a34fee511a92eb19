"""What parliament knows of IAM: actions that exist, ARNs and condition keys that fit them."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from infra.artifacts.artifacts import Artifacts
from infra.settings.stack_settings import StackSettings
from tests.aws_variables import set_aws_variables
from tests.iam.account import Account, open_account
from tests.infra.recording import Declared

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it leaves files open and needs pkg_resources
    import parliament  # type: ignore[import-untyped]  # it has no types

pytestmark = pytest.mark.integration

ACCEPTED = {
    "kms": {
        "RESOURCE_STAR",  # in the policy of a key that is the key
        "MISMATCHED_TYPE",  # CloudWatch documents comparing ARNs in an encryption context
        "UNKNOWN_CONDITION_FOR_ACTION",  # so it does for kms:DescribeKey, which has no such context
    },
    "iam": {
        # A machine is started with several statements, each for a part of its resources.
        "RESOURCE_MISMATCH ec2:CreateFleet",
        "RESOURCE_MISMATCH ec2:RunInstances",
        # IAM's reference has it once with and once without resources; profiles are what it lists.
        "RESOURCE_MISMATCH iam:ListInstanceProfiles",
        "RESOURCE_MISMATCH ssm:GetParameter",  # those of AWS itself belong to no account
    },
}
"""By service of the policy: what is no fault in ours."""

_KINDS = (
    "iam/policy:Policy",
    "iam/rolePolicy:RolePolicy",
    "kms/key:Key",
    "s3/bucketPolicy:BucketPolicy",
    "sns/topicPolicy:TopicPolicy",
    "sqs/queuePolicy:QueuePolicy",
)


def findings(policy: str) -> set[str]:
    """Return issues; one of resources for each action that it is about."""
    found = parliament.analyze_policy_string(policy).findings
    return {issue for finding in found for issue in _issues(finding)}


def _issues(finding: Any) -> list[str]:
    if finding.issue != "RESOURCE_MISMATCH":
        return [finding.issue]
    return [f"{finding.issue} {about['action']}" for about in finding.detail]


def policies(declared: Declared) -> Iterator[tuple[str, str, str]]:
    """Yield service, name and text."""
    for kind in _KINDS:
        for resource in declared.of_type(kind):
            yield kind.partition("/")[0], resource.name, resource.inputs["policy"]


@pytest.fixture(scope="module")
def with_karpenter(all_settings: StackSettings, artifacts: Artifacts) -> Account:
    create = all_settings.cluster.create
    assert create is not None
    fleet = create.fleet.model_copy(update={"autoscaler": "karpenter"})
    cluster = all_settings.cluster.model_copy(
        update={"create": create.model_copy(update={"fleet": fleet})}
    )
    with pytest.MonkeyPatch.context() as patched, mock_aws():
        set_aws_variables(patched)
        return open_account(all_settings.model_copy(update={"cluster": cluster}), artifacts)


@pytest.mark.parametrize("stack", ["account", "with_karpenter"])
def test_no_policy_of_the_stack_is_found_fault_with(
    stack: str, request: pytest.FixtureRequest
) -> None:
    declared = request.getfixturevalue(stack).declared

    assert len(list(policies(declared))) > 20
    assert {
        name: found
        for service, name, text in policies(declared)
        if (found := findings(text) - ACCEPTED.get(service, set()))
    } == {}


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"Action": "sqs:SendMessageBatch"}, "UNKNOWN_ACTION"),
        ({"Resource": "arn:aws:s3:::bucket"}, "RESOURCE_MISMATCH sqs:SendMessage"),
        ({"Condition": {"StringEquals": {"s3:prefix": "a"}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
        ({"Condition": {"NumericEquals": {"aws:SecureTransport": "1"}}}, "MISMATCHED_TYPE"),
        ({"Effect": "Maybe"}, "MALFORMED"),
    ],
)
def test_a_wrong_policy_is_found_fault_with(changes: dict[str, Any], issue: str) -> None:
    right = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": "arn:aws:sqs:us-east-1:123456789012:q",
    }
    for statement, expected in ((right, set()), (right | changes, {issue})):
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        assert findings(text) == expected
