"""Finding rows by what is not their key. All answers are eventually consistent."""

import heapq
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.aws.requests.row import SWEEP_SHARDS, attribute_of
from penstock.adapters.listing import Position, caller_key, list_key
from penstock.adapters.sweeping import in_turn
from penstock.contracts.request import RequestId, Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_LOOKED_THROUGH = 5_000
"""Of each shard, so that one tenant's many rows hide no other's; a page of DynamoDB has room."""


class _Due(NamedTuple):
    sweep_at: int
    request_id: RequestId
    tenant: str


class RequestIndexes:
    """The indexes of the requests table; they hold keys, and `sweep` whose row it is."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def due(self, now: datetime, limit: int) -> list[RequestId]:
        """Return whose rows are due: tenants take turns, each one's longest due come first."""
        shards = [self._due_in(shard, now) for shard in SWEEP_SHARDS]
        due = in_turn(heapq.merge(*shards), lambda found: found.tenant)
        return [found.request_id for found in due[:limit]]

    def count_open(self, tenant: Tenant, limit: int) -> int:
        """Count a tenant's rows that have not ended, no further than `limit`."""
        count = 0
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "open",
            "Select": "COUNT",
            "KeyConditionExpression": "open_tenant = :tenant",
            "ExpressionAttributeValues": {":tenant": {"S": tenant}},
        }
        while count < limit:
            with aws_call("count open requests"):
                page = self._dynamodb.query(**query, Limit=limit - count)
            count += page["Count"]
            if "LastEvaluatedKey" not in page:
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return count

    def newest_of(self, tenant: Tenant, caller_id: str) -> RequestId | None:
        """Return the newest row that a caller knows by another id."""
        with aws_call("find request by its caller's id"):
            page = self._dynamodb.query(
                TableName=self._table,
                IndexName="caller",
                KeyConditionExpression="caller_key = :caller",
                ExpressionAttributeValues={":caller": {"S": caller_key(tenant, caller_id)}},
                ScanIndexForward=False,
                Limit=1,
            )
        found = [RequestId(item["request_id"]["S"]) for item in page["Items"]]
        return found[0] if found else None

    def page(
        self, tenant: Tenant, deployment_id: str, limit: int, after: str | None
    ) -> tuple[list[RequestId], str | None]:
        """Return ids of a list, newest first, and after what the next page begins, if any is."""
        listed = list_key(tenant, deployment_id)
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "listed",
            "KeyConditionExpression": "list_key = :listed",
            "ExpressionAttributeValues": {":listed": {"S": listed}},
            "ScanIndexForward": False,
        }
        if after is not None:
            query["ExclusiveStartKey"] = _start_key(Position.decoded(after, listed))
        with aws_call("list requests"):
            # One more tells whether there is another page.
            items = self._dynamodb.query(**query, Limit=limit + 1)["Items"]
        ids = [RequestId(item["request_id"]["S"]) for item in items[:limit]]
        if len(items) <= limit:
            return ids, None
        created_at = int(items[limit - 1]["created_at"]["N"])
        return ids, Position(listed, created_at, ids[-1]).encoded()

    def _due_in(self, shard: str, now: datetime) -> list["_Due"]:
        with aws_call("find due requests"):
            page = self._dynamodb.query(
                TableName=self._table,
                IndexName="sweep",
                KeyConditionExpression="sweep_shard = :shard AND sweep_at <= :now",
                ExpressionAttributeValues={":shard": {"S": shard}, ":now": attribute_of(now)},
                Limit=_LOOKED_THROUGH,
            )
        return [
            _Due(
                int(item["sweep_at"]["N"]), RequestId(item["request_id"]["S"]), item["tenant"]["S"]
            )
            for item in page["Items"]
        ]


def _start_key(position: Position) -> dict[str, object]:
    return {
        "list_key": {"S": position.list_key},
        "created_at": {"N": str(position.created_at_microseconds)},
        "request_id": {"S": position.request_id},
    }
