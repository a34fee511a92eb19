"""The whole program keeps to its own policies, in its first preview and deployed."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare
from infra.settings.stack_settings import StackSettings
from policies.guardrails.taggable import TAGGABLE
from tests.infra.cluster.platforms import platform
from tests.infra.recording import CloudMocks, Declared, record
from tests.policies.sdk import has_tags
from tests.policies.servicer import UNKNOWN, Finding, Pack, as_given

ROOT = Path(__file__).parents[2]
CONFIG = json.loads((ROOT / "policies" / "config.json").read_text())
EXAMPLES = ("dev", "prod")
"""Stacks of which an example lies in the repository."""

Program = Callable[[], Any]
Config = dict[str, dict[str, Any]]
PLATFORM_CONFIG: Config = {
    # The most that its eight H100s, and the rest, may cost.
    "cost-guard": {"maxHourlyUsd": 300},
    # Tags come from a stack's provider, which a platform is declared without.
    "required-tags": {"enforcementLevel": "disabled"},
}


class _FirstPreview(CloudMocks):
    """Knows nothing but what the program itself says, as before the first deployment."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        _, state = super().new_resource(args)
        return "", {key: args.inputs.get(key, UNKNOWN) for key in state}


PLANTED = {
    ("ddb-deletion-protection", "requests-planted"),
    ("ddb-encrypted", "requests-planted"),
    ("ddb-pitr", "requests-planted"),
    ("ddb-ttl", "requests-planted"),
    ("iam-no-star", "planted-permissions"),
    ("iam-trust", "planted-role"),
    ("lambda-env-no-secrets", "planted-function"),
    ("lambda-runtime", "planted-function"),
    ("protect-stateful", "planted-bucket"),
    ("protect-stateful", "requests-planted"),
    ("required-tags", "planted-bucket"),
    ("required-tags", "planted-dead"),
    ("required-tags", "planted-function"),
    ("required-tags", "planted-queue"),
    ("required-tags", "planted-role"),
    ("required-tags", "requests-planted"),
    ("s3-encryption-kms", "planted-bucket"),
    ("s3-lifecycle", "planted-bucket"),
    ("s3-no-force-destroy", "planted-bucket"),
    ("s3-ownership-enforced", "planted-bucket"),
    ("s3-public-access-block", "planted-bucket"),
    ("s3-tls-only", "planted-bucket"),
    ("sqs-encrypted", "planted-dead"),
    ("sqs-encrypted", "planted-queue"),
    ("sqs-retention", "planted-queue"),
    ("sqs-sns-policy-tls", "planted-dead"),
    ("sqs-sns-policy-tls", "planted-queue"),
    ("sqs-visibility", "planted-queue"),
}
"""What `_plant` does wrong, of which a preview knows enough."""


def program(name: str, artifacts: Artifacts) -> Program:
    settings = StackSettings.read(ROOT / f"Pulumi.{name}.yaml.example")
    return lambda: declare(settings, artifacts)


def deployed(run: Program, *, stack: str) -> Declared:
    return record(run, stack=stack)


def previewed(run: Program, *, stack: str) -> Declared:
    return record(run, stack=stack, answers=_FirstPreview(), preview=True)


def findings(declared: Declared, config: Config | None = None) -> list[Finding]:
    return Pack(config={**CONFIG, **(config or {})}).findings(as_given(declared))


def by_resource(found: Iterable[Finding]) -> set[tuple[str, str]]:
    return {(finding.policy, finding.resource) for finding in found}


def mandatory(declared: Declared, config: Config | None = None) -> list[str]:
    return [f.text for f in findings(declared, config) if f.level == "mandatory"]


@pytest.fixture(scope="module", params=EXAMPLES)
def stack(request: pytest.FixtureRequest, artifacts: Artifacts) -> Declared:
    return deployed(program(request.param, artifacts), stack=request.param)


def test_the_program_keeps_to_its_policies(stack: Declared) -> None:
    assert mandatory(stack) == []


def test_advice_that_the_program_does_not_follow_is_known(stack: Declared) -> None:
    # Unreserved, functions share the account's concurrency; secrets are rotated by hand, with two
    # of them valid at a time.
    assert {f.policy for f in findings(stack)} == {"lambda-concurrency", "secrets-rotation"}


@pytest.mark.parametrize("autoscaler", ["cluster-autoscaler", "karpenter"])
def test_every_kind_of_platform_keeps_to_the_policies(autoscaler: str) -> None:
    assert mandatory(platform(autoscaler=autoscaler), PLATFORM_CONFIG) == []


def test_a_stack_with_all_that_can_be_chosen_otherwise_keeps_to_the_policies(
    artifacts: Artifacts,
) -> None:
    def chosen() -> Any:
        values = StackSettings.read(ROOT / "Pulumi.dev.yaml.example").model_dump(mode="json")
        values["encryption"] = "customer"
        values["cluster"]["create"]["fleet"]["autoscaler"] = "karpenter"
        values["models"]["ocr"]["deployments"]["v1"]["watch_spot_notice"] = True
        return declare(StackSettings.checked(values), artifacts)

    whole = deployed(chosen, stack="dev")

    assert whole.of_type(":NodePool")
    assert len(whole.of_type("kms/key:Key")) == 2
    assert mandatory(whole) == []


def test_a_first_preview_hides_no_violation_that_can_be_known(artifacts: Artifacts) -> None:
    whole = program("prod", artifacts)

    def planted() -> Any:
        _plant()
        return whole()

    found = findings(previewed(planted, stack="prod"))

    assert not [finding.text for finding in found if "can't run policy" in finding.text]
    assert by_resource(f for f in found if f.level == "mandatory") == PLANTED


def _plant() -> None:
    bucket = aws.s3.Bucket("planted-bucket", force_destroy=True)
    aws.s3.BucketPublicAccessBlock("planted-half-closed", bucket=bucket.id, block_public_acls=True)
    dead = aws.sqs.Queue("planted-dead")
    aws.sqs.Queue(
        "planted-queue",
        message_retention_seconds=3_600,
        redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn}),
    )
    aws.dynamodb.Table("requests-planted", attributes=[{"name": bucket.id, "type": "S"}])
    service = {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    role = aws.iam.Role("planted-role", assume_role_policy=json.dumps({"Statement": [trust]}))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    aws.iam.RolePolicy(
        "planted-permissions", role=role.id, policy=json.dumps({"Statement": [everything]})
    )
    variables = {"BUCKET": bucket.id, "ADMIN_PASSWORD": bucket.arn}
    aws.lambda_.Function(
        "planted-function", role=role.arn, runtime="python3.8", environment={"variables": variables}
    )


def test_whatever_of_the_program_can_be_tagged_must_be(stack: Declared) -> None:
    types = {resource.type for resource in stack if resource.type.startswith("aws:")}

    forgotten = {kind for kind in types - TAGGABLE if has_tags(kind)}
    assert forgotten == set(), "add them to policies/guardrails/taggable.py"
