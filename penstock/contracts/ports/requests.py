"""The row and the message of a request."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from penstock.contracts.message import QueueMessage
from penstock.contracts.outcome import Fault, Outcome, ServerRefusal, StoredObject
from penstock.contracts.request import AsyncRequest, RequestId, Tenant, WebhookStatus


class RequestStore(Protocol):
    """The requests table. Every step is one conditional update of one row.

    All methods raise `UnavailableError` when the table cannot be reached or is throttled. A step
    that took effect although its answer was lost may be repeated: `finish` and `release` return
    the row if it is as the same claim left it.

    Those that return one row raise `UnreadableRowError` if another version of Penstock wrote it so
    that this one cannot read it; a claim then has no effect. Values of enumerations that this
    version does not know are kept as they are.
    """

    def accept(self, request: AsyncRequest) -> None:
        """Put a new row; raise `DuplicateRequestError` if its id exists."""
        ...

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return the row (strongly consistent), or `None`."""
        ...

    def find_many(self, request_ids: Collection[RequestId]) -> Mapping[RequestId, AsyncRequest]:
        """Return the rows that exist, by id; any number, strongly consistent.

        A row that cannot be read is logged and left out.
        """
        ...

    def find_by_caller_id(self, tenant: Tenant, caller_id: str) -> AsyncRequest | None:
        """Return the newest row that this caller knows by another id; eventually consistent."""
        ...

    def list_page(
        self, tenant: Tenant, deployment_id: str, *, limit: int, after: str | None = None
    ) -> "RequestPage":
        """Return a tenant's requests at a deployment, newest first; eventually consistent.

        A row that cannot be read is logged and left out.

        Raises:
            InvalidSubmissionError: `after` is not the `next` of an earlier page.
        """
        ...

    def claim(
        self,
        request_id: RequestId,
        worker: str,
        lease_seconds: float,
        *,
        claim_id: str | None = None,
    ) -> AsyncRequest:
        """Take a lease: next attempt, one attempt less, state IN_PROGRESS.

        A repeat under one `claim_id` finds the attempt that the first call took, as when the answer
        to that was lost, and renews its lease if that has lapsed. Without one each call is a claim
        of its own.

        Raises:
            ClaimRefusedError: `AsyncRequest.is_claimable` is false; the error carries the row.
        """
        ...

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Move `lease_until`; the answer carries `cancel_requested`.

        Raises:
            LeaseLostError: another attempt holds the request, or it has ended.
        """
        ...

    def finish(self, claimed: AsyncRequest, outcome: Outcome) -> AsyncRequest:
        """Write the terminal state of a held request.

        Raises:
            LeaseLostError: another attempt holds the request, or it has ended.
        """
        ...

    def release(
        self,
        claimed: AsyncRequest,
        fault: Fault | None,
        *,
        counts_as_attempt: bool,
        refusal: ServerRefusal | None = None,
    ) -> AsyncRequest:
        """Put a held request back to QUEUED, for a retry or because the worker drains.

        With `refusal` because the model server did not take it: its deadline applies again, until
        an attempt counts.

        Raises:
            LeaseLostError: another attempt holds the request, or it has ended.
        """
        ...

    def expire(self, request_id: RequestId, fault: Fault) -> AsyncRequest:
        """Move a request that was never claimed and waited past its deadline to EXPIRED.

        Whoever announces the end stores the failure document (`mark_notified`).

        Raises:
            ClaimRefusedError: it was claimed or has time left; the error carries the row.
        """
        ...

    def give_up(self, seen: AsyncRequest, fault: Fault) -> AsyncRequest:
        """Move a request that nobody holds to FAILED, if it is still as it was seen.

        A lease must have lapsed for longer than clocks may differ: `AsyncRequest.is_abandoned`.
        Whoever announces the end stores the failure document (`mark_notified`).

        Raises:
            ClaimRefusedError: it is held, has ended or was claimed since; the error carries the
                row.
        """
        ...

    def cancel(self, request_id: RequestId, *, force: bool = False) -> AsyncRequest:
        """Cancel a request that was never claimed.

        With `force` also a waiting retry, and a running one is asked to stop
        (`cancel_requested`). Returns the row as it is afterwards: CANCELED, or unchanged if it
        was too late.

        Raises:
            UnknownRequestError: there is no such row.
        """
        ...

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        """Return those whose callers asked them to stop; any number."""
        ...

    def reopen(self, request_id: RequestId) -> AsyncRequest:
        """Queue a FAILED or EXPIRED request again, as an operator redrives it.

        All attempts are back, faults and result are gone, it will be announced again, and a
        webhook is PENDING again. It counts as claimed before, so it does not expire.

        Raises:
            ClaimRefusedError: it has not ended so; the error carries the row.
        """
        ...

    def count_open(self, tenant: Tenant, limit: int) -> int:
        """Return how many requests of a tenant have not ended, counting no further than `limit`.

        Eventually consistent.
        """
        ...

    def due(self, limit: int) -> "Sequence[AsyncRequest | UnreadableRow]":
        """Return up to `limit` rows that somebody should look at by now.

        Past their deadline, under a lapsed lease, waiting for long, ended and not announced, or
        soon to be purged. Tenants take turns; of each tenant those longest due come first.
        """
        ...

    def postpone(self, request_id: RequestId, seconds: float) -> None:
        """Be `due` again no earlier than so long from now; no effect on a row that is never due."""
        ...

    def mark_notified(self, ended: AsyncRequest, failure: StoredObject | None = None) -> None:
        """Remember that this end was announced; the sweeper then leaves the row alone.

        No effect if the request has been queued again since.

        Args:
            ended: The row as it ended.
            failure: The failure document, if the row does not name it yet.
        """
        ...

    def record_webhook(self, ended: AsyncRequest, status: WebhookStatus) -> None:
        """Write what became of the webhook of this end.

        PENDING starts it over, with no attempt made. No effect if the request has been queued
        again since, or has no webhook.
        """
        ...

    def count_webhook_attempt(self, ended: AsyncRequest) -> int | None:
        """Count an attempt to deliver the webhook of this end.

        Returns:
            How many were made, this one included; `None` if the request has been queued again
            since, or its row has gone.
        """
        ...


@dataclass(frozen=True)
class UnreadableRow:
    """A row that another version of Penstock wrote, so that this one cannot read it."""

    request_id: RequestId


@dataclass(frozen=True)
class RequestPage:
    """Some rows of a list."""

    requests: Sequence[AsyncRequest]
    next: str | None
    """What to ask for the rest with; `None`: there is none."""


@dataclass(frozen=True)
class Delivery:
    """A received message: invisible to others until its visibility runs out."""

    message: QueueMessage
    priority: int
    receipt: str
    received_at: datetime
    receive_count: int = 1
    tenant: str = ""
    """The fairness group that it was sent in."""


@dataclass(frozen=True)
class QueueDepth:
    """How many messages wait and how many are held by workers; SQS settles within a minute."""

    queued: int
    in_progress: int


class RequestQueue(Protocol):
    """The three lanes of one deployment. All methods raise `UnavailableError`."""

    def send(
        self, message: QueueMessage, *, priority: int, tenant: str, delay_seconds: float = 0
    ) -> None:
        """Make `message` visible in the lane, at once or after up to 15 minutes.

        `tenant` is the fairness group.

        Raises:
            QueueGoneError: the lane is not there any more.
        """
        ...

    def send_many(
        self, messages: Sequence[QueueMessage], *, priority: int, tenant: str
    ) -> Collection[RequestId]:
        """Make messages visible in a lane, any number; return the ids of those not taken.

        Raises:
            QueueGoneError: the lane is not there any more.
        """
        ...

    def receive(
        self, *, priority: int, max_messages: int, wait_seconds: int, visible_after_seconds: float
    ) -> Sequence[Delivery]:
        """Take up to 10 messages of one lane, waiting up to 20 s for the first.

        They stay hidden for `visible_after_seconds`. A message that cannot be decoded is logged
        and left to become a dead letter.
        """
        ...

    def hide(self, deliveries: Sequence[Delivery], seconds: float) -> Sequence[Delivery]:
        """Keep messages invisible for so long from now (0: visible at once); any number.

        Rounded up to whole seconds and clamped so that 12 h after its receive are never passed.
        Returns the deliveries that SQS no longer knows as ours.
        """
        ...

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good; any number. One that is gone already is no error."""
        ...

    def depth(self) -> QueueDepth:
        """Return the sum over the lanes."""
        ...
