"""The check that holds inputs to the SDK's types can fail."""

from typing import Any

import pulumi_aws as aws
import pytest

from tests.infra.conformance import faults
from tests.infra.conftest import Declare
from tests.infra.manifests import check_manifest


def _table(**changes: Any) -> Any:
    inputs: dict[str, Any] = {"hash_key": "id", "attributes": [{"name": "id", "type": "S"}]}
    return lambda: aws.dynamodb.Table("t", **{**inputs, **changes})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"ttl": {"attribute_nam": "x"}}, "t.ttl.attribute_nam: unknown key"),
        ({"attributes": [{"name": "id"}]}, "t.attributes[0].type: missing"),
        ({"hash_key": 7}, "t.hashKey: 7 is not a str"),
        ({"read_capacity": 1.5}, "t.readCapacity: 1.5 is not a int"),
        ({"tags": {"a": 1}}, "t.tags.a: 1 is not a str"),
    ],
)
def test_what_a_provider_would_refuse_is_found(
    declare: Declare, changes: dict[str, Any], fault: str
) -> None:
    (table,) = declare(_table(**changes))

    assert faults(table) == [fault]


def test_a_value_that_an_enumeration_lacks_is_found(declare: Declare) -> None:
    (function,) = declare(lambda: aws.lambda_.Function("f", role="r", runtime="python9"))

    assert faults(function) == ["f.runtime: 'python9' is not in Runtime"]


def test_what_is_right_is_left_alone(declare: Declare) -> None:
    (table,) = declare(_table(ttl={"attribute_name": "purge_at", "enabled": True}))

    assert faults(table) == []


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}}
    check_manifest(account, "1.35")

    with pytest.raises(Exception, match="automount"):
        check_manifest({**account, "automount": False}, "1.35")
