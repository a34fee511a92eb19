"""The requests table: conditional writes of one item, and reads of many by their keys."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from penstock.adapters.aws.availability import aws_call, error_code
from penstock.adapters.aws.requests.conditions import CONSTANTS, IS_HELD
from penstock.adapters.aws.requests.expressions import Update
from penstock.adapters.aws.requests.row import (
    changes_between,
    item_of,
    request_id_of,
    request_of,
)
from penstock.adapters.transitions import was_left_so
from penstock.contracts.errors import (
    ClaimRefusedError,
    LeaseLostError,
    UnavailableError,
    UnreadableRowError,
)
from penstock.contracts.ports.requests import UnreadableRow
from penstock.contracts.request import AsyncRequest, RequestId

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

_BATCH_SIZE = 100  # DynamoDB: keys of one BatchGetItem
_BATCH_READS = 5
"""An answer ends at 16 MB; what it leaves out is asked for again, so often at most."""


class RefusedError(Exception):
    """The condition did not hold; `item` is the row as DynamoDB found it."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(str(error))
        self.item: Any = cast("dict[str, Any]", error.response).get("Item")

    @property
    def current(self) -> AsyncRequest | None:
        """The row, if there is one."""
        return request_of(self.item) if self.item else None


@contextmanager
def _conditional_write(operation: str) -> Iterator[None]:
    try:
        with aws_call(operation):
            yield
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise RefusedError(error) from error


class RequestsTable:
    """Speaks DynamoDB for the store."""

    def __init__(self, name: str, dynamodb: "DynamoDBClient") -> None:
        self._name = name
        self._dynamodb = dynamodb

    def put_new(self, request: AsyncRequest, now: datetime) -> None:
        """Put a row; raise `RefusedError` if there is one."""
        with _conditional_write("accept request"):
            self._dynamodb.put_item(
                TableName=self._name,
                Item=item_of(request, now),
                ConditionExpression="attribute_not_exists(request_id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return a row, read consistently."""
        with aws_call("find request"):
            response = self._dynamodb.get_item(
                TableName=self._name, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        return request_of(response["Item"]) if "Item" in response else None

    def update(self, request_id: RequestId, update: Update) -> AsyncRequest:
        """Change a row and return it; raise `RefusedError` if the condition does not hold."""
        with _conditional_write(update.operation):
            response = self._dynamodb.update_item(
                TableName=self._name,
                Key={"request_id": {"S": request_id}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update.arguments(),
            )
        return request_of(response["Attributes"])

    def undo(self, request_id: RequestId, update: Update) -> None:
        """Take back a step that had an effect which nobody can read; it may be gone already."""
        with suppress(RefusedError):
            self.write(request_id, update)

    def write(self, request_id: RequestId, update: Update) -> None:
        """Change a row that nobody needs to see; raise `RefusedError` as `update` does."""
        with _conditional_write(update.operation):
            self._dynamodb.update_item(
                TableName=self._name,
                Key={"request_id": {"S": request_id}},
                **update.arguments(),
            )

    def update_held(
        self, operation: str, claimed: AsyncRequest, changes: Mapping[str, object]
    ) -> AsyncRequest:
        """Change a row that an attempt holds; raise `LeaseLostError` if it does not."""
        update = _of_holder(operation, claimed, changes, IS_HELD)
        try:
            return self.update(claimed.request_id, update)
        except RefusedError as refused:
            raise LeaseLostError(claimed.request_id, claimed.attempt) from refused

    def leave(
        self,
        operation: str,
        claimed: AsyncRequest,
        left: AsyncRequest,
        now: datetime,
        condition: str = IS_HELD,
    ) -> AsyncRequest:
        """Let an attempt leave a row that it holds; raise `LeaseLostError` if it does not.

        What it left so before is returned: the answer was lost, and the step was repeated.
        """
        update = _of_holder(operation, claimed, changes_between(claimed, left, now), condition)
        try:
            return self.update(claimed.request_id, update)
        except RefusedError as refused:
            if (current := refused.current) and was_left_so(current, left):
                return current
            raise LeaseLostError(claimed.request_id, claimed.attempt) from refused

    def update_unheld(
        self, request_id: RequestId, update: Update, was_done: Callable[[AsyncRequest], bool]
    ) -> AsyncRequest:
        """Change a row that nobody holds; raise `ClaimRefusedError` if it is not as expected.

        `was_done` recognizes this very update, which the SDK repeats when its answer is lost.
        """
        try:
            return self.update(request_id, update)
        except RefusedError as refused:
            if (current := refused.current) and was_done(current):
                return current
            raise ClaimRefusedError(request_id, refused.current) from refused

    def read(self, request_ids: Collection[RequestId]) -> dict[RequestId, AsyncRequest]:
        """Return those rows that exist and can be read, read consistently; any number."""
        rows = self.read_all(request_ids)
        return {id_: row for id_, row in rows.items() if isinstance(row, AsyncRequest)}

    def read_all(
        self, request_ids: Collection[RequestId]
    ) -> dict[RequestId, AsyncRequest | UnreadableRow]:
        """Return those rows that exist, readable or not, in the order of their ids."""
        ids = list(dict.fromkeys(request_ids))
        found = {
            request_id_of(item): item
            for start in range(0, len(ids), _BATCH_SIZE)
            for item in self._read_batch(ids[start : start + _BATCH_SIZE])
        }
        return {request_id: _row_of(found[request_id]) for request_id in ids if request_id in found}

    def _read_batch(self, request_ids: list[RequestId]) -> "list[Mapping[str, Any]]":
        wanted: Any = {
            self._name: {
                "Keys": [{"request_id": {"S": each}} for each in request_ids],
                "ConsistentRead": True,
            }
        }
        found: list[Mapping[str, Any]] = []
        for _ in range(_BATCH_READS):
            with aws_call("read requests"):
                response = self._dynamodb.batch_get_item(RequestItems=wanted)
            found += response["Responses"].get(self._name, [])
            wanted = response.get("UnprocessedKeys", {})
            if not wanted:
                return found
        raise UnavailableError("read requests", "throttled")


def _of_holder(
    operation: str, claimed: AsyncRequest, changes: Mapping[str, object], condition: str
) -> Update:
    fence = {"holder": claimed.lease_owner, "held_attempt": claimed.attempt}
    return Update(
        operation=operation, condition=condition, values={**CONSTANTS, **fence}, changes=changes
    )


def _row_of(item: "Mapping[str, Any]") -> AsyncRequest | UnreadableRow:
    """Return a row of many; one that cannot be read must not hide the others."""
    try:
        return request_of(item)
    except UnreadableRowError as error:
        logger.warning("row cannot be read", extra={"request_id": error.request_id})
        return UnreadableRow(request_id_of(item))
