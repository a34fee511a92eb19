"""The request record and its life cycle."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NewType, Self

from pydantic import Field

from penstock.contracts.contract import Contract, UtcDatetime, kept_if_unknown
from penstock.contracts.errors import IllegalMoveError
from penstock.contracts.origin import Destination, Dialect, SageMakerInvocation
from penstock.contracts.outcome import Fault, ServerRefusal, StoredObject

RequestId = NewType("RequestId", str)
"""32 lowercase hexadecimal digits, the first 8 its model's; opaque to clients."""

Tenant = NewType("Tenant", str)
"""The owner of an API key."""

Priority = Annotated[int, Field(ge=0, le=2)]
"""0 runs before 1 runs before 2."""

ABANDONED_AFTER = timedelta(seconds=60)
"""How long a lease has lapsed when others may end its request.

The clock of the machine that holds it may be behind that of whoever looks.
"""


class RequestState(StrEnum):
    """Where a request is on its way from intake to result."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"

    @property
    def is_terminal(self) -> bool:
        """Whether the request has ended."""
        return self in _ENDS

    @property
    def is_known(self) -> bool:
        """Whether this version knows what it means, so that it may move the request."""
        return self in _ENDS or self in _LEGAL_MOVES


_ENDS = {
    RequestState.SUCCEEDED,
    RequestState.FAILED,
    RequestState.EXPIRED,
    RequestState.CANCELED,
}

_LEGAL_MOVES = {
    # A request whose message was lost fails without running (again).
    RequestState.QUEUED: set(RequestState) - {RequestState.QUEUED, RequestState.SUCCEEDED},
    # A retry waits as queued; a request whose worker died is claimed again while in progress.
    RequestState.IN_PROGRESS: set(RequestState) - {RequestState.EXPIRED},
}


class WebhookStatus(StrEnum):
    """What became of the webhook (Baseten inference API, `webhook_status`)."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    NO_WEBHOOK_PROVIDED = "NO_WEBHOOK_PROVIDED"


_ENDS_BEFORE_PURGE = timedelta(hours=12)
"""Longer than any attempt runs, so that none which begins before is forgotten while it runs."""


class RetryPolicy(Contract):
    """How often an attempt is made and how long is waited in between."""

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Counts the first attempt."""

    initial_delay_ms: Annotated[int, Field(ge=0, le=10_000)] = 1_000
    max_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 5_000
    retries_answers: bool = True
    """Whether a model server's error or timeout is tried again; a lost worker always is."""

    def delay_seconds(self, failed_attempts: int) -> float:
        """Return how long to wait after so many failed attempts (1 or more)."""
        return (
            float(min(self.initial_delay_ms * 2 ** (failed_attempts - 1), self.max_delay_ms)) / 1000
        )


class AsyncRequest(Contract):
    """The row: what a dispatcher advances and the status endpoint reads."""

    request_id: RequestId
    tenant: Tenant
    model_id: str
    deployment_id: str
    dialect: Annotated[Dialect, kept_if_unknown(Dialect)] = Dialect.BASETEN
    """In which it was submitted; it can be looked up in all."""

    caller_id: str | None = None
    """The id by which the caller knows it, beside `request_id`; not unique."""

    chain_id: str | None = None
    """The chain through which the deployment was addressed."""

    destination: Destination | None = None
    """Where result or failure document must lie; absent: the stack's own places."""

    invocation: SageMakerInvocation | None = None
    priority: Priority = 0
    state: Annotated[RequestState, kept_if_unknown(RequestState)] = RequestState.QUEUED
    created_at: UtcDatetime
    status_at: UtcDatetime
    """When `state` last changed."""

    deadline_at: UtcDatetime
    """When a request expires that nobody ever claimed, or fails that was only refused since."""

    max_time_in_queue_seconds: int | None = None
    """How long its caller lets it wait; absent in rows of earlier versions. `deadline_at` moves."""

    purge_at: UtcDatetime
    """When the row may be forgotten."""

    submission_sha256: str
    """What an idempotent repeat is compared with."""

    retry: RetryPolicy = RetryPolicy()
    attempt: int = 0
    """Counts claims; the number is the fencing token of the worker that holds it."""

    attempts_left: int
    """Claims that may still be made; giving a request back restores one."""

    lease_owner: str | None = None
    lease_until: UtcDatetime | None = None
    claim_id: str | None = None
    """Names the last claim, so that a repeat of it, or of the step that ended it, is recognized."""

    cancel_requested: bool = False
    predict_timeout_seconds: float | None = None
    """The caller's own limit for one attempt; the deployment's applies when it is absent."""

    refusal: ServerRefusal | None = None
    """What the model server said that last did not take it; its queue clock runs on then."""

    faults: tuple[Fault, ...] = ()
    result: StoredObject | None = None
    """The model's answer, or the failure document of a request that did not succeed."""

    webhook_endpoint: str | None = None
    webhook_status: Annotated[WebhookStatus, kept_if_unknown(WebhookStatus)] = (
        WebhookStatus.NO_WEBHOOK_PROVIDED
    )
    webhook_attempts: int = 0
    notified_at: UtcDatetime | None = None

    def moved_to(self, state: RequestState, at: datetime) -> Self:
        """Return this request in `state` since `at`; raise if its life cycle forbids the move."""
        if state not in _LEGAL_MOVES.get(self.state, ()):
            raise IllegalMoveError(self.request_id, self.state, state)
        return self.model_copy(update={"state": state, "status_at": at})

    @property
    def must_end_by(self) -> datetime:
        """When a request ends that nobody holds: DynamoDB would forget it without a word."""
        return self.purge_at - _ENDS_BEFORE_PURGE

    @property
    def was_claimed(self) -> bool:
        """Whether a worker ever held it; the queue clock stands still then, unless refused."""
        return self.attempt > 0

    @property
    def failed_attempts(self) -> int:
        """How many attempts counted so far."""
        return self.retry.max_attempts - self.attempts_left

    @property
    def is_unannounced(self) -> bool:
        """Whether it ended and somebody is still to be told.

        A cancelled request is announced only to a caller who waits for an object at a place.
        """
        is_heard_of = self.state is not RequestState.CANCELED or self.destination is not None
        return self.state.is_terminal and is_heard_of and self.notified_at is None

    @property
    def without_place(self) -> Self:
        """This request as if its objects were to lie at the stack's own places."""
        return self.model_copy(update={"destination": None})

    def is_leased(self, now: datetime) -> bool:
        """Whether a worker holds it at `now`."""
        return (
            self.state is RequestState.IN_PROGRESS
            and self.lease_until is not None
            and self.lease_until >= now
        )

    def is_abandoned(self, now: datetime) -> bool:
        """Whether its worker has been silent for so long that others may end it."""
        return self.state is RequestState.IN_PROGRESS and (
            self.lease_until is None or self.lease_until + ABANDONED_AFTER < now
        )

    def is_past_deadline(self, now: datetime) -> bool:
        """Whether it waited too long: never claimed, or given back by a server that refused it."""
        waits_in_queue = not self.was_claimed or self.refusal is not None
        return self.state is RequestState.QUEUED and waits_in_queue and self.deadline_at <= now

    def is_claimable(self, now: datetime) -> bool:
        """Whether a worker may take it at `now`."""
        if self.attempts_left <= 0:
            return False
        if self.state is RequestState.QUEUED:
            return not self.cancel_requested and not self.is_past_deadline(now)
        return self.state is RequestState.IN_PROGRESS and not self.is_leased(now)
