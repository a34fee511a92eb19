"""Who may do what in AWS: each process has a role of its own, and no role has a wildcard."""

from collections import Counter
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.recording import Declared, record

WITHOUT_RESOURCES = {
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
    "pricing:GetProducts",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What AWS knows no resource for: looking around, and writing traces."""


@pytest.fixture(scope="module", params=["cluster-autoscaler", "karpenter"])
def whole(
    created_settings: StackSettings, artifacts: Artifacts, request: pytest.FixtureRequest
) -> Declared:
    values = created_settings.model_dump(mode="json", exclude_none=True)
    values["cluster"]["create"]["fleet"] = {"autoscaler": request.param}
    values["encryption"] = "customer"
    return record(lambda: declare_stack(StackSettings.checked(values), artifacts))


def _granted(declared: Declared) -> list[tuple[str, dict[str, Any]]]:
    policies = [
        *declared.of_type("iam/rolePolicy:RolePolicy"),
        *declared.of_type("iam/policy:Policy"),
    ]
    return [(p.name, statement) for p in policies for statement in p.policy()]


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_every_action_is_named(whole: Declared) -> None:
    granted = _granted(whole)

    assert len(granted) > 50
    stars = [(n, a) for n, s in granted for a in _listed(s["Action"]) if "*" in a]
    assert stars == []


def test_every_action_is_on_something_that_is_named(whole: Declared) -> None:
    everything = {
        action
        for _, statement in _granted(whole)
        if "*" in _listed(statement["Resource"])
        for action in _listed(statement["Action"])
    }

    assert everything <= WITHOUT_RESOURCES


def test_no_role_reaches_into_other_accounts_or_regions(whole: Declared) -> None:
    # Images and snapshots that Karpenter starts machines from may be Amazon's own.
    reaching = {
        (name, resource)
        for name, statement in _granted(whole)
        for resource in _listed(statement["Resource"])
        if "*" in resource.split(":")[3:5] and not resource.startswith("arn:aws:ec2:us-east-1:*:")
    }

    assert reaching == set()


def test_every_function_and_every_deployment_has_a_role_of_its_own(whole: Declared) -> None:
    functions = [f.inputs["role"] for f in whole.of_type("lambda/function:Function")]
    pods = [i.inputs["roleArn"] for i in whole.of_type(":PodIdentityAssociation")]
    deployments = whole.of_type("apps/v1:Deployment")

    shared = [role for role, count in Counter([*functions, *pods]).items() if count > 1]
    assert shared == []
    accounts = {i.inputs["serviceAccount"] for i in whole.of_type(":PodIdentityAssociation")}
    own = [d.inputs["spec"]["template"]["spec"]["serviceAccountName"] for d in deployments]
    assert len(set(own)) == len(own)
    assert set(own) <= accounts
