"""The requests table: every step of the protocol is one conditional update of one item."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from penstock.adapters import transitions
from penstock.adapters.aws.requests import conditions
from penstock.adapters.aws.requests.expressions import Update
from penstock.adapters.aws.requests.indexes import RequestIndexes
from penstock.adapters.aws.requests.row import NOT_OPEN, NOT_SWEPT, changes_between, request_of
from penstock.adapters.aws.requests.table import RefusedError, RequestsTable
from penstock.adapters.sweeping import end_due_at, lease_due_at, waiting_due_at
from penstock.contracts.errors import (
    ClaimRefusedError,
    DuplicateRequestError,
    LeaseLostError,
    UnknownRequestError,
    UnreadableRowError,
)
from penstock.contracts.outcome import (
    Canceled,
    Failed,
    Fault,
    Outcome,
    ServerRefusal,
    StoredObject,
)
from penstock.contracts.ports.clock import Clock, utc_now
from penstock.contracts.ports.requests import RequestPage, UnreadableRow
from penstock.contracts.request import (
    ABANDONED_AFTER,
    AsyncRequest,
    RequestId,
    RequestState,
    Tenant,
    WebhookStatus,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRequestStore:
    """`RequestStore` over one DynamoDB table."""

    def __init__(self, table: str, dynamodb: "DynamoDBClient", clock: Clock = utc_now) -> None:
        self._table = RequestsTable(table, dynamodb)
        self._indexes = RequestIndexes(table, dynamodb)
        self._clock = clock

    def accept(self, request: AsyncRequest) -> None:
        """Put a new row."""
        try:
            self._table.put_new(request, self._clock())
        except RefusedError as refused:
            raise DuplicateRequestError(request_of(refused.item)) from refused

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return the row, read consistently."""
        return self._table.find(request_id)

    def find_many(self, request_ids: Collection[RequestId]) -> Mapping[RequestId, AsyncRequest]:
        """Return the rows that exist, read consistently."""
        return self._table.read(request_ids)

    def find_by_caller_id(self, tenant: Tenant, caller_id: str) -> AsyncRequest | None:
        """Return the newest row that this caller knows by another id."""
        newest = self._indexes.newest_of(tenant, caller_id)
        return None if newest is None else self.find(newest)

    def list_page(
        self, tenant: Tenant, deployment_id: str, *, limit: int, after: str | None = None
    ) -> RequestPage:
        """Return a tenant's requests at a deployment, newest first."""
        ids, following = self._indexes.page(tenant, deployment_id, limit, after)
        return RequestPage(list(self._table.read(ids).values()), following)

    def claim(
        self,
        request_id: RequestId,
        worker: str,
        lease_seconds: float,
        *,
        claim_id: str | None = None,
    ) -> AsyncRequest:
        """Take a lease under the next attempt."""
        now = self._clock()
        claim_id = claim_id or uuid4().hex
        lease_until = now + timedelta(seconds=lease_seconds)
        update = Update(
            operation="claim request",
            condition=conditions.IS_CLAIMABLE,
            values={**conditions.CONSTANTS, "now": now, "claim_id": claim_id},
            changes={
                "state": RequestState.IN_PROGRESS,
                "status_at": now,
                "lease_owner": worker,
                "lease_until": lease_until,
                "claim_id": claim_id,
                "sweep_at": lease_due_at(lease_until),
            },
            add={"attempt": 1, "attempts_left": -1},
        )
        try:
            claimed = self._table.update_unheld(
                request_id, update, lambda current: transitions.is_claim(current, claim_id)
            )
        except UnreadableRowError:
            self._table.undo(request_id, _unclaiming(claim_id, now))
            raise
        return self._leased(claimed, lease_seconds)

    def _leased(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Return a claimed request under a lease: that of a repeated claim may have lapsed."""
        if claimed.is_leased(self._clock()):
            return claimed
        try:
            return self.renew(claimed, lease_seconds)
        except LeaseLostError as lost:
            raise ClaimRefusedError(claimed.request_id, self.find(claimed.request_id)) from lost

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Move the end of the lease."""
        lease_until = self._clock() + timedelta(seconds=lease_seconds)
        changes = {"lease_until": lease_until, "sweep_at": lease_due_at(lease_until)}
        return self._table.update_held("renew lease", claimed, changes)

    def finish(self, claimed: AsyncRequest, outcome: Outcome) -> AsyncRequest:
        """Write the terminal state of a held request."""
        now = self._clock()
        ended = transitions.finished(claimed, outcome, now)
        return self._table.leave("finish request", claimed, ended, now)

    def release(
        self,
        claimed: AsyncRequest,
        fault: Fault | None,
        *,
        counts_as_attempt: bool,
        refusal: ServerRefusal | None = None,
    ) -> AsyncRequest:
        """Put a held request back to QUEUED; one that was asked to stop is CANCELED instead."""
        now = self._clock()
        returned = transitions.released(
            claimed, fault, now, counts_as_attempt=counts_as_attempt, refusal=refusal
        )
        try:
            return self._table.leave(
                "release request", claimed, returned, now, conditions.IS_HELD_AND_WANTED
            )
        except LeaseLostError:
            # Either it is lost, or it was asked to stop after the worker last looked: the fence
            # of this second step tells the two apart.
            return self.finish(claimed, Canceled())

    def expire(self, request_id: RequestId, fault: Fault) -> AsyncRequest:
        """Move a request that waited past its deadline to EXPIRED."""
        now = self._clock()
        update = Update(
            operation="expire request",
            condition=conditions.IS_PAST_DEADLINE,
            values={**conditions.CONSTANTS, "now": now},
            changes={
                "state": RequestState.EXPIRED,
                "status_at": now,
                "faults": (fault,),
                "sweep_at": end_due_at(now),
                **NOT_OPEN,
            },
        )
        wrote = (RequestState.EXPIRED, now, (fault,))
        return self._table.update_unheld(
            request_id, update, lambda row: (row.state, row.status_at, row.faults) == wrote
        )

    def give_up(self, seen: AsyncRequest, fault: Fault) -> AsyncRequest:
        """Move a request that nobody holds to FAILED, if it is still as it was seen."""
        if seen.state.is_terminal:
            raise ClaimRefusedError(seen.request_id, self.find(seen.request_id))
        now = self._clock()
        ended = transitions.finished(seen, Failed(fault=fault), now)
        update = Update(
            operation="give up request",
            condition=conditions.IS_UNHELD_AS_SEEN,
            values={**conditions.CONSTANTS, **_as(seen), "abandoned": now - ABANDONED_AFTER},
            changes=changes_between(seen, ended, now),
        )
        return self._table.update_unheld(seen.request_id, update, lambda row: row == ended)

    def cancel(self, request_id: RequestId, *, force: bool = False) -> AsyncRequest:
        """Cancel a request, or ask its worker to stop."""
        current = self.find(request_id)
        while current is not None:
            now = self._clock()
            wanted = transitions.cancellation(current, now, force=force)
            if wanted == current:
                return current
            update = Update(
                operation="cancel request",
                condition=conditions.IS_AS_SEEN,
                values=_as(current),
                changes=changes_between(current, wanted, now),
            )
            try:
                return self._table.update(request_id, update)
            except RefusedError as refused:
                current = refused.current  # a worker was faster: decide again on what it made
        raise UnknownRequestError(request_id)

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        """Return those whose callers asked them to stop."""
        rows = self._table.read(request_ids).values()
        return [row.request_id for row in rows if row.cancel_requested]

    def reopen(self, request_id: RequestId) -> AsyncRequest:
        """Queue a FAILED or EXPIRED request again."""
        current = self.find(request_id)
        if current is None or not transitions.may_be_reopened(current):
            raise ClaimRefusedError(request_id, current)
        now = self._clock()
        opened = transitions.reopened(current, now)
        update = Update(
            operation="reopen request",
            condition=conditions.IS_AS_SEEN,
            values=_as(current),
            changes=changes_between(current, opened, now),
        )
        return self._table.update_unheld(request_id, update, lambda row: row == opened)

    def count_open(self, tenant: Tenant, limit: int) -> int:
        """Return how many requests of a tenant have not ended, up to `limit`."""
        return self._indexes.count_open(tenant, limit)

    def due(self, limit: int) -> Sequence[AsyncRequest | UnreadableRow]:
        """Return rows that somebody should look at, tenants in turn, longest due first."""
        ids = self._indexes.due(self._clock(), limit)
        return list(self._table.read_all(ids).values())

    def postpone(self, request_id: RequestId, seconds: float) -> None:
        """Be due no earlier than so long from now."""
        until = self._clock() + timedelta(seconds=seconds)
        update = Update(
            operation="postpone request",
            condition=conditions.IS_DUE_BEFORE,
            values={"until": until},
            changes={"sweep_at": until},
        )
        with suppress(RefusedError):
            self._table.write(request_id, update)

    def mark_notified(self, ended: AsyncRequest, failure: StoredObject | None = None) -> None:
        """Remember when an end was first announced."""
        if not ended.state.is_terminal:
            return
        update = Update(
            operation="mark request as notified",
            condition=conditions.IS_UNANNOUNCED_END,
            values=_as(ended),
            changes={**transitions.notified(failure, self._clock()), **NOT_SWEPT},
        )
        with suppress(RefusedError):
            self._table.write(ended.request_id, update)

    def record_webhook(self, ended: AsyncRequest, status: WebhookStatus) -> None:
        """Write what became of the webhook of an end, if it has one."""
        update = Update(
            operation="record webhook",
            condition=conditions.IS_END_WITH_WEBHOOK,
            values=_as(ended),
            changes=transitions.webhook_recorded(status),
        )
        with suppress(RefusedError):
            self._table.write(ended.request_id, update)

    def count_webhook_attempt(self, ended: AsyncRequest) -> int | None:
        """Count an attempt to deliver the webhook of an end."""
        update = Update(
            operation="count webhook attempt",
            condition=conditions.IS_AS_SEEN,
            values=_as(ended),
            add={"webhook_attempts": 1},
        )
        try:
            return self._table.update(ended.request_id, update).webhook_attempts
        except RefusedError:
            return None


def _unclaiming(claim_id: str, now: datetime) -> Update:
    """Return what takes back a claim of a row that its claimer cannot read."""
    return Update(
        operation="take back claim",
        condition=conditions.IS_CLAIMED_SO,
        values={**conditions.CONSTANTS, "claim_id": claim_id},
        changes={
            "state": RequestState.QUEUED,
            "status_at": now,
            "lease_owner": None,
            "lease_until": None,
            "sweep_at": waiting_due_at(now),
        },
        add={"attempts_left": 1},
    )


def _as(seen: AsyncRequest) -> dict[str, object]:
    return {"seen_state": seen.state, "seen_attempt": seen.attempt}
