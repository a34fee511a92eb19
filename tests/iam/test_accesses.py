"""What is asked of IAM for each call."""

from typing import Any

import pytest

from tests.iam.accesses import Surroundings
from tests.iam.recorder import Call

QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/rows"
BUCKET, KEY = "arn:aws:s3:::b", "arn:aws:kms:eu-west-1:123456789012:key/k"


def asked(
    service: str,
    operation: str,
    keys: dict[str, str] | None = None,
    *,
    found_nothing: bool = False,
    **parameters: Any,
) -> set[tuple[str, str]]:
    known = Surroundings("eu-west-1", "123456789012", keys or {}, {})
    call = Call("anybody", service, operation, parameters, found_nothing)
    return {(access.action, access.resource) for access in known.accesses(call)}


def test_a_batch_is_the_action_of_its_entries() -> None:
    found = asked("sqs", "SendMessageBatch", QueueUrl=QUEUE_URL)
    assert found == {("sqs:SendMessage", QUEUE)}


def test_an_index_is_a_resource_of_its_own() -> None:
    by_index = asked("dynamodb", "Query", TableName="rows", IndexName="open")
    assert by_index == {("dynamodb:Query", f"{TABLE}/index/open")}
    assert asked("dynamodb", "BatchGetItem", RequestItems={"rows": {}}) == {
        ("dynamodb:BatchGetItem", TABLE)
    }


def test_iam_knows_the_keys_of_items_and_the_names_of_missing_objects() -> None:
    known = Surroundings("eu-west-1", "123456789012", {}, {})

    def told(service: str, operation: str, **parameters: Any) -> set[tuple[str, str]]:
        call = Call("anybody", service, operation, parameters, found_nothing=True)
        return {
            pair
            for access in known.accesses(call)
            for pair in access.context
            if pair[0] in {"dynamodb:LeadingKeys", "s3:prefix"}
        }

    one, other = ({"request_id": {"S": name}} for name in ("r1", "r2"))
    assert told("dynamodb", "UpdateItem", TableName="rows", Key=one) == {
        ("dynamodb:LeadingKeys", "r1")
    }
    assert told("dynamodb", "BatchGetItem", RequestItems={"rows": {"Keys": [one, other]}}) == {
        ("dynamodb:LeadingKeys", "r1"),
        ("dynamodb:LeadingKeys", "r2"),
    }
    assert told("s3", "HeadObject", Bucket="b", Key="results/r1") == {("s3:prefix", "results/r1")}


def test_who_looks_for_an_object_must_be_allowed_to_miss_it() -> None:
    read = ("s3:GetObject", f"{BUCKET}/k")
    assert asked("s3", "HeadObject", Bucket="b", Key="k") == {read}
    missed = asked("s3", "HeadObject", found_nothing=True, Bucket="b", Key="k")
    assert missed == {read, ("s3:ListBucket", BUCKET)}


def test_who_replaces_an_object_must_be_allowed_to_read_it() -> None:
    replaced = asked("s3", "PutObject", Bucket="b", Key="k", IfMatch='"etag"')
    assert replaced == {("s3:PutObject", f"{BUCKET}/k"), ("s3:GetObject", f"{BUCKET}/k")}


@pytest.mark.parametrize(
    ("operation", "uses"),
    [
        ("PutObject", {"kms:GenerateDataKey"}),
        ("GetObject", {"kms:Decrypt"}),
        ("UploadPart", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("DeleteObject", set()),
    ],
)
def test_a_service_uses_the_key_of_a_resource_in_the_name_of_who_calls(
    operation: str, uses: set[str]
) -> None:
    found = asked("s3", operation, {BUCKET: KEY}, Bucket="b", Key="k")
    assert {(action, on) for action, on in found if on == KEY} == {(use, KEY) for use in uses}


@pytest.mark.parametrize(
    "call", [("dynamodb", "DeleteItem"), ("sqs", "PurgeQueue"), ("lambda", "Invoke")]
)
def test_an_operation_that_nobody_translated_is_an_error(call: tuple[str, str]) -> None:
    with pytest.raises(LookupError):
        asked(*call, TableName="rows", QueueUrl=QUEUE_URL)
