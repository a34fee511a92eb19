"""Counting each tenant's requests and calls by the second."""

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.contracts.errors import RateLimitedError
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.request import Tenant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT_FOR = timedelta(minutes=5)


class DynamoRateLimit:
    """`RateLimit` over one table: one counter for each tenant, kind and second."""

    def __init__(
        self,
        table: str,
        per_second: int,
        dynamodb: "DynamoDBClient",
        clock: Clock = utc_now,
        counted: Literal["requests", "calls"] = "requests",
    ) -> None:
        self._table = table
        self._limit = per_second
        self._counted = counted
        self._dynamodb = dynamodb
        self._clock = clock

    def take(self, tenant: Tenant, count: int = 1) -> None:
        """Count requests, unless there would be too many in this second."""
        second = int(self._clock().timestamp())
        purge_at = second + int(_KEPT_FOR.total_seconds())
        if count > self._limit:
            raise self._too_many()
        try:
            with aws_call(f"count {self._counted} of tenant"):
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key={"window": {"S": f"{tenant}#{self._counted}#{second}"}},
                    UpdateExpression="SET purge_at = :purge_at ADD taken :count",
                    ConditionExpression="attribute_not_exists(taken) OR taken <= :room",
                    ExpressionAttributeValues={
                        ":purge_at": {"N": str(purge_at)},
                        ":count": {"N": str(count)},
                        ":room": {"N": str(self._limit - count)},
                    },
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise self._too_many() from error

    def _too_many(self) -> RateLimitedError:
        return RateLimitedError(f"more than {self._limit} {self._counted} per second", 1)
