"""The requests table as a dictionary: the predicates of `AsyncRequest` decide every step."""

from datetime import timedelta
from threading import RLock

from penstock.adapters import transitions
from penstock.contracts.errors import (
    ClaimRefusedError,
    DuplicateRequestError,
    LeaseLostError,
    UnknownRequestError,
)
from penstock.contracts.outcome import Failed, Fault, Outcome, StoredObject
from penstock.contracts.ports.clock import Clock
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, WebhookStatus


class InMemoryRequestStore:
    """`RequestStore` that any number of threads may share."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[RequestId, AsyncRequest] = {}
        self._lock = RLock()

    def accept(self, request: AsyncRequest) -> None:
        """Put a new row."""
        with self._lock:
            if existing := self._rows.get(request.request_id):
                raise DuplicateRequestError(existing)
            self._kept(request)

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return the row, or `None`."""
        with self._lock:
            return self._rows.get(request_id)

    def claim(self, request_id: RequestId, worker: str, lease_seconds: float) -> AsyncRequest:
        """Take a lease under the next attempt."""
        with self._lock:
            now = self._clock()
            request = self._rows.get(request_id)
            if request is None or not request.is_claimable(now):
                raise ClaimRefusedError(request_id, request)
            leased = {
                "attempt": request.attempt + 1,
                "attempts_left": request.attempts_left - 1,
                "lease_owner": worker,
                "lease_until": now + timedelta(seconds=lease_seconds),
            }
            claimed = request.moved_to(RequestState.IN_PROGRESS, now)
            return self._kept(claimed.model_copy(update=leased))

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Move the end of the lease."""
        with self._lock:
            lease_until = self._clock() + timedelta(seconds=lease_seconds)
            held = self._held(claimed)
            return self._kept(held.model_copy(update={"lease_until": lease_until}))

    def finish(self, claimed: AsyncRequest, outcome: Outcome) -> AsyncRequest:
        """Write the terminal state of a held request."""
        with self._lock:
            held = self._held(claimed)
            return self._kept(transitions.finished(held, outcome, self._clock()))

    def release(
        self, claimed: AsyncRequest, fault: Fault | None, *, counts_as_attempt: bool
    ) -> AsyncRequest:
        """Put a held request back to QUEUED; one that was asked to stop is CANCELED instead."""
        with self._lock:
            held, now = self._held(claimed), self._clock()
            returned = transitions.released(held, fault, now, counts_as_attempt=counts_as_attempt)
            return self._kept(returned)

    def expire(
        self, request_id: RequestId, fault: Fault, failure: StoredObject | None = None
    ) -> AsyncRequest:
        """Move a request that waited past its deadline to EXPIRED."""
        with self._lock:
            now = self._clock()
            request = self._rows.get(request_id)
            if request is None or not request.is_past_deadline(now):
                raise ClaimRefusedError(request_id, request)
            return self._kept(transitions.expired(request, fault, failure, now))

    def give_up(
        self, seen: AsyncRequest, fault: Fault, failure: StoredObject | None = None
    ) -> AsyncRequest:
        """Move a request that nobody holds to FAILED, if it is still as it was seen."""
        with self._lock:
            now = self._clock()
            current = self._rows.get(seen.request_id)
            if current is None or not transitions.may_be_given_up(current, seen, now):
                raise ClaimRefusedError(seen.request_id, current)
            return self._kept(
                transitions.finished(current, Failed(fault=fault, failure=failure), now)
            )

    def cancel(self, request_id: RequestId, *, force: bool = False) -> AsyncRequest:
        """Cancel a request, or ask its worker to stop."""
        with self._lock:
            request = self._rows.get(request_id)
            if request is None:
                raise UnknownRequestError(request_id)
            return self._kept(transitions.cancellation(request, self._clock(), force=force))

    def mark_notified(self, request_id: RequestId) -> None:
        """Remember when an ended request was first announced."""
        with self._lock:
            request = self._rows.get(request_id)
            if request is not None and request.state.is_terminal and request.notified_at is None:
                self._kept(request.model_copy(update={"notified_at": self._clock()}))

    def record_webhook(self, request_id: RequestId, status: WebhookStatus) -> None:
        """Write what became of the webhook, if the request has one."""
        with self._lock:
            request = self._rows.get(request_id)
            if request is not None and request.webhook_endpoint is not None:
                self._kept(request.model_copy(update={"webhook_status": status}))

    def _held(self, claimed: AsyncRequest) -> AsyncRequest:
        current = self._rows.get(claimed.request_id)
        if (
            current is None
            or current.state is not RequestState.IN_PROGRESS
            or (current.lease_owner, current.attempt) != (claimed.lease_owner, claimed.attempt)
        ):
            raise LeaseLostError(claimed.request_id, claimed.attempt)
        return current

    def _kept(self, request: AsyncRequest) -> AsyncRequest:
        self._rows[request.request_id] = request
        return request
