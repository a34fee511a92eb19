"""Under which keys data lies, and who may use them for what."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.custody.custody import Custody
from infra.components.permissions import allow
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError
from tests.infra.conformance import faults
from tests.infra.recording import ACCOUNT, Declared, Registered, record

REGION = "us-east-1"
"""Of the example."""

READ, WRITE = "kms:Decrypt", "kms:GenerateDataKey"


@pytest.fixture(scope="module")
def own(created_settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack of models, cluster and all, whose data lies under its own key."""
    settings = created_settings.model_copy(update={"encryption": "customer"})
    return record(lambda: declare_stack(settings, artifacts))


@pytest.fixture(scope="module")
def key(own: Declared) -> str:
    arn: str = own.named("custody-key", "kms/key:Key").outputs["arn"]
    return arn


def test_everything_that_holds_data_lies_under_the_stacks_key(own: Declared, key: str) -> None:
    encryption = own.of_type(":BucketServerSideEncryptionConfiguration")
    rules = [rule for e in encryption for rule in e.inputs["rules"]]

    assert len(rules) == len(own.of_type("s3/bucket:Bucket")) == 2
    for rule in rules:
        assert rule["applyServerSideEncryptionByDefault"] == {
            "sseAlgorithm": "aws:kms",
            "kmsMasterKeyId": key,
        }
        assert rule["bucketKeyEnabled"] is True
    for kind, input_ in (
        ("sqs/queue:Queue", "kmsMasterKeyId"),
        ("sns/topic:Topic", "kmsMasterKeyId"),
        ("secretsmanager/secret:Secret", "kmsKeyId"),
        ("cloudwatch/logGroup:LogGroup", "kmsKeyId"),
    ):
        found = own.of_type(kind)
        assert found
        assert {r.inputs[input_] for r in found} == {key}, kind
    for table in own.of_type("dynamodb/table:Table"):
        assert table.inputs["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": key}


def test_queues_reuse_data_keys_so_that_calls_to_kms_stay_few(own: Declared) -> None:
    for queue in own.of_type("sqs/queue:Queue"):
        assert queue.inputs["kmsDataKeyReusePeriodSeconds"] == 3_600
        assert "sqsManagedSseEnabled" not in queue.inputs  # SQS takes one of both


def test_providers_take_what_has_a_key(own: Declared) -> None:
    checked = [r for r in own if r.type.startswith("aws:")]

    assert [fault for resource in checked for fault in faults(resource)] == []


def test_the_key_turns_has_a_name_and_is_slow_to_go(own: Declared, key: str) -> None:
    made = own.named("custody-key", "kms/key:Key")
    alias = own.named("custody-alias", "kms/alias:Alias").inputs

    assert made.inputs["enableKeyRotation"] is True
    assert made.inputs["rotationPeriodInDays"] == 365
    assert made.inputs["deletionWindowInDays"] == 30
    assert (alias["name"], alias["targetKeyId"]) == ("alias/penstock-test", "custody-key-id")


def test_the_key_trusts_the_account_and_three_services_on_its_behalf(own: Declared) -> None:
    root, *services = own.named("custody-key", "kms/key:Key").policy()

    assert root["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert {s["Principal"]["Service"]: (s["Action"], s["Condition"]) for s in services} == {
        f"logs.{REGION}.amazonaws.com": (
            [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            {
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": (
                        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
                    )
                }
            },
        ),
        "sns.amazonaws.com": (
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:*"}},
        ),
        "cloudwatch.amazonaws.com": (
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ),
    }


def _uses(declared: Declared) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for policy in declared.of_type(":RolePolicy"):
        for statement in policy.policy():
            if str(statement["Action"]).startswith("kms:"):
                yield policy.name, statement["Action"], statement


WORKER = {READ: {"dynamodb", "s3", "sns", "sqs"}, WRITE: {"s3", "sns", "sqs"}}


def test_a_role_may_use_the_key_for_what_it_does_and_through_that_service_only(
    own: Declared, key: str
) -> None:
    found: dict[str, dict[str, set[str]]] = {}
    for name, action, statement in _uses(own):
        assert statement["Resource"] == key
        (hosts,) = [c["kms:ViaService"] for c in statement["Condition"].values()]
        assert all(host.endswith(f".{REGION}.amazonaws.com") for host in hosts)
        role = found.setdefault(name.removesuffix("-permissions"), {})
        role[action] = {host.partition(".")[0] for host in hosts}

    assert found == {
        "functions-authorizer": {READ: {"dynamodb"}},
        "functions-intake": {
            READ: {"dynamodb", "s3", "secretsmanager", "sqs"},
            WRITE: {"s3", "sqs"},
        },
        "functions-status": {READ: {"dynamodb", "s3"}},
        "functions-sweeper": {READ: {"dynamodb", "s3", "sns", "sqs"}, WRITE: {"s3", "sns"}},
        "functions-webhooks": {
            READ: {"dynamodb", "s3", "secretsmanager", "sqs"},
            WRITE: {"sqs"},
        },
        "ocr-v1": WORKER,
        "ocr-v2": WORKER,
        "echo-v1": WORKER,
    }


def test_an_action_that_nobody_thought_about_is_no_silent_refusal() -> None:
    custody = Custody(account_id=ACCOUNT, region=REGION, key_arn="arn:key")

    with pytest.raises(KeyError, match="dynamodb:DeleteItem"):
        custody.statements_to_use_key([allow("dynamodb:DeleteItem", "arn:table")])


def test_without_a_key_of_its_own_a_stack_lies_under_those_that_aws_keeps(stack: Declared) -> None:
    assert stack.of_type("kms/key:Key") == []
    assert list(_uses(stack)) == []
    for kind in ("secretsmanager/secret:Secret", "cloudwatch/logGroup:LogGroup"):
        assert not [r.name for r in stack.of_type(kind) if "kmsKeyId" in r.inputs]
    for queue in stack.of_type("sqs/queue:Queue"):
        assert queue.inputs["sqsManagedSseEnabled"] is True
        assert "kmsDataKeyReusePeriodSeconds" not in queue.inputs


@pytest.mark.parametrize(
    ("environment", "encryption", "has_own_key"),
    [
        ("dev", None, False),
        ("staging", None, True),
        ("production", None, True),
        ("dev", "customer", True),
        ("production", "aws", False),
    ],
)
def test_what_is_kept_for_good_lies_under_a_key_of_its_own_unless_told_otherwise(
    settings: StackSettings,
    artifacts: Artifacts,
    environment: str,
    encryption: str | None,
    *,
    has_own_key: bool,
) -> None:
    chosen: dict[str, Any] = {"environment": environment, "encryption": encryption, "models": {}}
    declared = record(lambda: declare_stack(settings.model_copy(update=chosen), artifacts))

    keys = declared.of_type("kms/key:Key")
    assert [k.name for k in keys] == (["custody-key"] if has_own_key else [])
    assert all(k.is_protected is (environment != "dev") for k in keys)


def test_the_clusters_secrets_keep_their_own_key_whatever_becomes_of_the_data(
    own: Declared, key: str
) -> None:
    (cluster,) = own.of_type("eks/cluster:Cluster")
    secrets: Registered = own.named("platform-cluster-api-secrets-key", "kms/key:Key")

    assert cluster.inputs["encryptionConfig"]["provider"]["keyArn"] == secrets.outputs["arn"] != key
    assert [s["Principal"] for s in secrets.policy()] == [{"AWS": f"arn:aws:iam::{ACCOUNT}:root"}]


def test_a_laptop_has_no_key() -> None:
    values = {
        "environment": "local",
        "region": REGION,
        "cluster": {"name": "laptop", "kubeconfig_context": "none"},
        "encryption": "customer",
    }

    with pytest.raises(SettingsError, match="a laptop has no KMS"):
        StackSettings.checked(values)


def test_services_take_roles_on_behalf_of_this_account_only(own: Declared) -> None:
    trusts = {
        service: json.dumps(statement.get("Condition", {}))
        for role in own.of_type("iam/role:Role")
        for statement in role.policy("assumeRolePolicy")
        for service in [statement["Principal"]["Service"]]
    }

    for service in ("pods.eks.amazonaws.com", "scheduler.amazonaws.com"):
        assert ACCOUNT in trusts[service]
