"""The requests table: every step of the protocol is one conditional update of one item.

The conditions are the predicates of `AsyncRequest`, written for DynamoDB.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from penstock.adapters import transitions
from penstock.adapters.aws.availability import aws_call, error_code
from penstock.adapters.aws.requests.row import (
    UNSWEPT,
    changes_between,
    item_of,
    request_of,
    sweep,
    update_arguments,
)
from penstock.contracts.errors import (
    ClaimRefusedError,
    DuplicateRequestError,
    LeaseLostError,
    UnknownRequestError,
)
from penstock.contracts.outcome import Canceled, Failed, Fault, Outcome, StoredObject
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, WebhookStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_IS_PAST_DEADLINE = "#state = :queued AND #attempt = :none AND #deadline_at <= :now"
_HAS_LAPSED = (
    "#state = :in_progress AND (attribute_not_exists(#lease_until) OR #lease_until < :now)"
)
_IS_CLAIMABLE = (
    "#attempts_left > :none AND ("
    "(#state = :queued AND #cancel_requested = :false"
    " AND (#attempt > :none OR #deadline_at > :now))"
    f" OR ({_HAS_LAPSED}))"
)
_IS_HELD = "#state = :in_progress AND #lease_owner = :holder AND #attempt = :held_attempt"
_IS_HELD_AND_WANTED = f"{_IS_HELD} AND #cancel_requested = :false"
_IS_AS_SEEN = "#state = :seen_state AND #attempt = :seen_attempt"
_IS_UNHELD_AS_SEEN = f"{_IS_AS_SEEN} AND (#state = :queued OR ({_HAS_LAPSED}))"
_IS_UNANNOUNCED = (
    "attribute_exists(#request_id) AND NOT #state IN (:queued, :in_progress)"
    " AND attribute_not_exists(#notified_at)"
)
_HAS_WEBHOOK = "attribute_exists(#webhook_endpoint)"

_CONSTANTS: Mapping[str, object] = {
    "queued": RequestState.QUEUED,
    "in_progress": RequestState.IN_PROGRESS,
    "none": 0,
    "false": False,
}


class _RefusedError(Exception):
    """The condition did not hold; `item` is the row as DynamoDB found it."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(str(error))
        self.item: Any = cast("dict[str, Any]", error.response).get("Item")

    @property
    def current(self) -> AsyncRequest | None:
        return request_of(self.item) if self.item else None


@contextmanager
def _conditional_write(operation: str) -> Iterator[None]:
    try:
        with aws_call(operation):
            yield
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise _RefusedError(error) from error


class DynamoRequestStore:
    """`RequestStore` over one DynamoDB table."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient", clock: Clock = utc_now) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock

    def accept(self, request: AsyncRequest) -> None:
        """Put a new row."""
        try:
            with _conditional_write("accept request"):
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item_of(request, self._clock()),
                    ConditionExpression="attribute_not_exists(request_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except _RefusedError as refused:
            raise DuplicateRequestError(request_of(refused.item)) from refused

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return the row, read consistently."""
        with aws_call("find request"):
            response = self._dynamodb.get_item(
                TableName=self._table, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        return request_of(response["Item"]) if "Item" in response else None

    def claim(self, request_id: RequestId, worker: str, lease_seconds: float) -> AsyncRequest:
        """Take a lease under the next attempt."""
        now = self._clock()
        lease_until = now + timedelta(seconds=lease_seconds)
        changes = {
            "state": RequestState.IN_PROGRESS,
            "status_at": now,
            "lease_owner": worker,
            "lease_until": lease_until,
            **sweep(RequestState.IN_PROGRESS, now, lease_until=lease_until),
        }
        arguments = update_arguments(
            changes,
            _IS_CLAIMABLE,
            {**_CONSTANTS, "now": now},
            add={"attempt": 1, "attempts_left": -1},
        )
        return self._update_unheld("claim request", request_id, arguments)

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Move the end of the lease."""
        now = self._clock()
        lease_until = now + timedelta(seconds=lease_seconds)
        swept = sweep(RequestState.IN_PROGRESS, now, lease_until=lease_until)
        return self._update_held("renew lease", claimed, {"lease_until": lease_until, **swept})

    def finish(self, claimed: AsyncRequest, outcome: Outcome) -> AsyncRequest:
        """Write the terminal state of a held request."""
        now = self._clock()
        ended = transitions.finished(claimed, outcome, now)
        return self._update_held("finish request", claimed, changes_between(claimed, ended, now))

    def release(
        self, claimed: AsyncRequest, fault: Fault | None, *, counts_as_attempt: bool
    ) -> AsyncRequest:
        """Put a held request back to QUEUED; one that was asked to stop is CANCELED instead."""
        now = self._clock()
        returned = transitions.released(claimed, fault, now, counts_as_attempt=counts_as_attempt)
        changes = changes_between(claimed, returned, now)
        try:
            return self._update_held("release request", claimed, changes, _IS_HELD_AND_WANTED)
        except LeaseLostError:
            # Either it is lost, or it was asked to stop after the worker last looked: the fence
            # of this second step tells the two apart.
            return self.finish(claimed, Canceled())

    def expire(
        self, request_id: RequestId, fault: Fault, failure: StoredObject | None = None
    ) -> AsyncRequest:
        """Move a request that waited past its deadline to EXPIRED."""
        now = self._clock()
        expired = RequestState.EXPIRED
        ended = {"state": expired, "status_at": now, "faults": (fault,), "result": failure}
        arguments = update_arguments(
            {**ended, **sweep(expired, now)}, _IS_PAST_DEADLINE, {**_CONSTANTS, "now": now}
        )
        return self._update_unheld("expire request", request_id, arguments)

    def give_up(
        self, seen: AsyncRequest, fault: Fault, failure: StoredObject | None = None
    ) -> AsyncRequest:
        """Move a request that nobody holds to FAILED, if it is still as it was seen."""
        now = self._clock()
        if seen.state.is_terminal:
            raise ClaimRefusedError(seen.request_id, self.find(seen.request_id))
        ended = transitions.finished(seen, Failed(fault=fault, failure=failure), now)
        values = {"now": now, "seen_state": seen.state, "seen_attempt": seen.attempt}
        arguments = update_arguments(
            changes_between(seen, ended, now), _IS_UNHELD_AS_SEEN, {**_CONSTANTS, **values}
        )
        return self._update_unheld("give up request", seen.request_id, arguments)

    def cancel(self, request_id: RequestId, *, force: bool = False) -> AsyncRequest:
        """Cancel a request, or ask its worker to stop."""
        current = self.find(request_id)
        while current is not None:
            now = self._clock()
            wanted = transitions.cancellation(current, now, force=force)
            if wanted == current:
                return current
            seen = {"seen_state": current.state, "seen_attempt": current.attempt}
            changes = changes_between(current, wanted, now)
            try:
                return self._update(
                    "cancel request", request_id, update_arguments(changes, _IS_AS_SEEN, seen)
                )
            except _RefusedError as refused:
                current = refused.current  # a worker was faster: decide again on what it made
        raise UnknownRequestError(request_id)

    def mark_notified(self, request_id: RequestId) -> None:
        """Remember when an ended request was first announced."""
        changes = {"notified_at": self._clock(), **UNSWEPT}
        arguments = update_arguments(changes, _IS_UNANNOUNCED, _CONSTANTS)
        with suppress(_RefusedError):
            self._update("mark request as notified", request_id, arguments)

    def record_webhook(self, request_id: RequestId, status: WebhookStatus) -> None:
        """Write what became of the webhook, if the request has one."""
        arguments = update_arguments({"webhook_status": status}, _HAS_WEBHOOK, {})
        with suppress(_RefusedError):
            self._update("record webhook", request_id, arguments)

    def _update_held(
        self,
        operation: str,
        claimed: AsyncRequest,
        changes: Mapping[str, object],
        condition: str = _IS_HELD,
    ) -> AsyncRequest:
        fence = {"holder": claimed.lease_owner, "held_attempt": claimed.attempt}
        arguments = update_arguments(changes, condition, {**_CONSTANTS, **fence})
        try:
            return self._update(operation, claimed.request_id, arguments)
        except _RefusedError as refused:
            raise LeaseLostError(claimed.request_id, claimed.attempt) from refused

    def _update_unheld(
        self, operation: str, request_id: RequestId, arguments: dict[str, Any]
    ) -> AsyncRequest:
        try:
            return self._update(operation, request_id, arguments)
        except _RefusedError as refused:
            raise ClaimRefusedError(request_id, refused.current) from refused

    def _update(
        self, operation: str, request_id: RequestId, arguments: dict[str, Any]
    ) -> AsyncRequest:
        with _conditional_write(operation):
            response = self._dynamodb.update_item(
                TableName=self._table,
                Key={"request_id": {"S": request_id}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            )
        return request_of(response["Attributes"])
