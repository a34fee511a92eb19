"""What is kept: restorable, encrypted, closed, and gone when it is no longer needed."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.recording import Declared, record


@pytest.fixture(scope="module")
def production(settings: StackSettings, artifacts: Artifacts) -> Declared:
    settings = settings.model_copy(update={"environment": "production"})
    return record(lambda: declare_stack(settings, artifacts))


KEYS = {
    "requests": "request_id",
    "catalog": "model_id",
    "api-keys": "prefix",
    "limits": "window",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_table_is_restorable_and_encrypted(stack: Declared, name: str) -> None:
    table = stack.named(f"{name}-table", "dynamodb/table:Table").inputs

    assert table["hashKey"] == KEYS[name]
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["serverSideEncryption"] == {"enabled": True}


def test_requests_are_found_by_need_by_tenant_and_by_what_their_caller_knows(
    stack: Declared,
) -> None:
    table = stack.named("requests-table", "dynamodb/table:Table").inputs

    found = {
        index["name"]: (
            index["projectionType"],
            index.get("nonKeyAttributes"),
            index["keySchemas"],
        )
        for index in table["globalSecondaryIndexes"]
    }
    assert found == {
        name: (
            "INCLUDE" if carried else "KEYS_ONLY",
            carried,
            [
                {"attributeName": hash_key, "keyType": "HASH"},
                {"attributeName": range_key, "keyType": "RANGE"},
            ],
        )
        for name, hash_key, range_key, carried in (
            ("sweep", "sweep_shard", "sweep_at", ["tenant"]),
            ("open", "open_tenant", "created_at", None),
            ("caller", "caller_key", "created_at", None),
            ("listed", "list_key", "created_at", None),
        )
    }
    attributes = [(a["name"], a["type"]) for a in table["attributes"]]
    assert sorted(attributes) == [  # each once: DynamoDB refuses a second definition
        ("caller_key", "S"),
        ("created_at", "N"),
        ("list_key", "S"),
        ("open_tenant", "S"),
        ("request_id", "S"),
        ("sweep_at", "N"),
        ("sweep_shard", "S"),
    ]


@pytest.mark.parametrize("name", ["requests", "limits"])
def test_old_rows_remove_themselves(stack: Declared, name: str) -> None:
    table = stack.named(f"{name}-table", "dynamodb/table:Table").inputs

    assert table["ttl"] == {"attributeName": "purge_at", "enabled": True}


@pytest.mark.parametrize(("name", "days"), [("payloads", 4), ("results", 14)])
def test_objects_expire_and_so_do_unfinished_uploads(stack: Declared, name: str, days: int) -> None:
    lifecycle = stack.named(f"store-{name}-lifecycle", ":BucketLifecycleConfiguration").inputs

    (rule,) = lifecycle["rules"]
    assert rule["status"] == "Enabled"
    assert rule["filter"] == {"prefix": ""}
    assert rule["expiration"] == {"days": days}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}


@pytest.mark.parametrize("name", ["payloads", "results"])
def test_a_bucket_is_encrypted_and_closed_to_others(stack: Declared, name: str) -> None:
    bucket = stack.named(f"store-{name}-bucket", "s3/bucket:Bucket")
    closed = stack.named(f"store-{name}-closed", ":BucketPublicAccessBlock").inputs
    ownership = stack.named(f"store-{name}-ownership", ":BucketOwnershipControls").inputs
    encryption = stack.named(
        f"store-{name}-encryption", ":BucketServerSideEncryptionConfiguration"
    ).inputs
    refusals = stack.named(f"store-{name}-policy", ":BucketPolicy").policy()

    assert {part["bucket"] for part in (closed, ownership, encryption)} == {
        bucket.outputs["bucket"]
    }
    assert all(value is True for key, value in closed.items() if key != "bucket")
    assert len(closed) == 5
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    (rule,) = encryption["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms"}
    assert rule["bucketKeyEnabled"] is True
    assert [s["Sid"] for s in refusals] == ["RefusePlainHttp", "RefuseOtherAccounts"]
    for refusal in refusals:
        assert (refusal["Effect"], refusal["Action"]) == ("Deny", "s3:*")
        assert refusal["Resource"] == [bucket.outputs["arn"], f"{bucket.outputs['arn']}/*"]


def test_in_production_nothing_that_holds_data_is_deleted_by_accident(
    stack: Declared, production: Declared
) -> None:
    for kept, declared in ((True, production), (False, stack)):
        for table in declared.of_type("dynamodb/table:Table"):
            assert table.inputs["deletionProtectionEnabled"] is kept
            assert table.is_protected is kept
        for bucket in declared.of_type("s3/bucket:Bucket"):
            assert bucket.inputs["forceDestroy"] is not kept
            assert bucket.is_protected is kept
        for repository in declared.of_type("ecr/repository:Repository"):
            assert repository.inputs["forceDelete"] is not kept
        for secret in declared.of_type("secretsmanager/secret:Secret"):
            assert secret.inputs["recoveryWindowInDays"] == (30 if kept else 0)


def test_secrets_are_made_up_once_and_kept_encrypted(stack: Declared) -> None:
    made = {
        "webhook-signing": '{"secrets": ["whsec_' + "p" * 43 + '"]}',
        "access-key-master": "p" * 43,
    }
    for name, value in made.items():
        version = stack.named(f"{name}-first-version", ":SecretVersion")
        assert version.inputs["secretStringWo"] == value
        assert version.ignored_changes == ("secretStringWo",)
        assert "secretStringWo" in version.secrets
