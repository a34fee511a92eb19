"""The pack as a whole: its names, levels and settings, and its page."""

import json
import tomllib
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from policies.guardrails.pack import POLICIES, Policy
from tests.policies.servicer import Finding, Pack
from tests.policies.test_policies import CASES, RIGHT, WRONG

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "policies"
NAMES = [
    "s3-public-access-block",
    "s3-encryption-kms",
    "s3-tls-only",
    "s3-ownership-enforced",
    "s3-lifecycle",
    "s3-no-force-destroy",
    "sqs-encrypted",
    "sqs-dlq",
    "sqs-retention",
    "sqs-visibility",
    "sqs-long-poll",
    "sqs-sns-policy-tls",
    "ddb-pitr",
    "ddb-deletion-protection",
    "ddb-encrypted",
    "ddb-ttl",
    "lambda-runtime",
    "lambda-arm64",
    "lambda-concurrency",
    "lambda-log-group",
    "lambda-env-no-secrets",
    "lambda-url-auth",
    "iam-no-star",
    "iam-trust",
    "iam-no-managed-admin",
    "sg-no-world-ingress",
    "default-sg-locked",
    "eks-endpoint",
    "eks-secrets-kms",
    "eks-logging",
    "eks-auth-api",
    "eks-version",
    "node-imdsv2",
    "node-ebs-encrypted",
    "gpu-nodegroup",
    "cost-guard",
    "instance-allowlist",
    "api-access-logs",
    "api-throttling",
    "api-authorizer",
    "tls-policy",
    "k8s-image-digest",
    "k8s-pod-hardening",
    "k8s-gpu-worker",
    "k8s-no-hostpath-privileged",
    "k8s-default-deny",
    "keda-scaledobject",
    "kms-rotation",
    "secrets-rotation",
    "ecr-immutable-scan",
    "log-retention",
    "lb-deletion-protection",
    "required-tags",
    "protect-stateful",
]
ADVICE = {"sqs-long-poll", "lambda-arm64", "lambda-concurrency", "secrets-rotation"}


def level_of(policy: Policy) -> str:
    assert policy.enforcement_level
    return policy.enforcement_level.value


def test_every_policy_is_there_once() -> None:
    assert len(NAMES) == 54
    assert [policy.name for policy in POLICIES] == NAMES


def test_all_but_advice_is_mandatory() -> None:
    levels = {policy.name: level_of(policy) for policy in POLICIES}

    assert {name for name, level in levels.items() if level == "advisory"} == ADVICE
    assert {name for name, level in levels.items() if level == "remediate"} == {"required-tags"}
    assert set(levels.values()) == {"advisory", "remediate", "mandatory"}


def test_every_policy_has_a_passing_and_a_failing_case() -> None:
    assert {case.policy for case in RIGHT} == set(NAMES)
    assert {case.policy for case in WRONG} == set(NAMES)
    assert [
        key for key, n in Counter(f"{c.policy}: {c.title}" for c in RIGHT).items() if n > 1
    ] == []


def test_every_setting_is_tried() -> None:
    tried = {(case.policy, key) for case in CASES for key in case.config}
    schemas = {policy.name: policy.config_schema for policy in POLICIES}

    assert tried == {(name, key) for name, s in schemas.items() if s for key in s.properties}


def row(policy: Policy) -> str:
    """Return a policy's row in the README."""
    schema = policy.config_schema.properties if policy.config_schema else {}
    config = "; ".join(f"`{key}` {_short(value['default'])}" for key, value in schema.items())
    return f"| {policy.name} | {policy.description} | {level_of(policy)} | {config} |"


def _short(default: Any) -> str:
    text = json.dumps(default).replace("|", "\\|")
    return f"`{text}`" if len(text) < 70 else f"{len(default)} entries"


def test_the_readme_has_every_policy_as_it_is() -> None:
    rows = [line for line in (FOLDER / "README.md").read_text().splitlines() if line[:2] == "| "]

    assert rows[1:] == [row(policy) for policy in POLICIES]


def test_no_file_of_the_pack_hides_an_installed_package() -> None:
    own = {path.stem for path in FOLDER.iterdir()} - {"__init__", "__main__", "__pycache__"}

    assert own & set(packages_distributions()) == set()


def test_the_pack_needs_the_version_that_is_tested() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    assert (FOLDER / "requirements.txt").read_text().split() == groups["policies"]


def _found_at_level(level: str) -> list[Finding]:
    case = next(case for case in WRONG if case.policy == "sqs-encrypted")
    pack = Pack(config={"sqs-encrypted": {"enforcementLevel": level}})
    return [f for f in pack.findings(case.resources) if f.policy == "sqs-encrypted"]


def test_a_config_can_lower_a_level() -> None:
    assert [finding.level for finding in _found_at_level("advisory")] == ["advisory"]


def test_a_config_can_disable_a_policy() -> None:
    assert _found_at_level("disabled") == []


def test_every_policy_in_the_config_file_is_one_with_these_settings() -> None:
    config = json.loads((FOLDER / "config.json").read_text())
    schemas = {policy.name: policy.config_schema for policy in POLICIES}

    for name, settings in config.items():
        schema = schemas[name]
        assert schema
        assert set(settings) <= {*schema.properties, "enforcementLevel"}, name
