"""The requests table as a dictionary: the predicates of `AsyncRequest` decide every step."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from threading import RLock
from typing import Self
from uuid import uuid4

from penstock.adapters import transitions
from penstock.adapters.listing import Position, list_key, microseconds_of
from penstock.adapters.sweeping import due_at, in_turn
from penstock.contracts.errors import (
    ClaimRefusedError,
    DuplicateRequestError,
    LeaseLostError,
    UnknownRequestError,
)
from penstock.contracts.outcome import (
    Canceled,
    Failed,
    Fault,
    Outcome,
    ServerRefusal,
    StoredObject,
)
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.requests import RequestPage
from penstock.contracts.request import (
    AsyncRequest,
    RequestId,
    RequestState,
    Tenant,
    WebhookStatus,
)


class InMemoryRequestStore:
    """`RequestStore` that any number of threads may share."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[RequestId, AsyncRequest] = {}
        self._due: dict[RequestId, datetime] = {}
        self._lock = RLock()

    def seen_with(self, clock: Clock) -> Self:
        """Return the same table as a machine with another clock uses it."""
        seen = copy(self)
        seen._clock = clock  # noqa: SLF001 - of this class
        return seen

    def accept(self, request: AsyncRequest) -> None:
        """Put a new row."""
        with self._lock:
            if existing := self._rows.get(request.request_id):
                raise DuplicateRequestError(existing)
            self._moved(request)

    def find(self, request_id: RequestId) -> AsyncRequest | None:
        """Return the row, or `None`."""
        with self._lock:
            return self._rows.get(request_id)

    def find_many(self, request_ids: Collection[RequestId]) -> Mapping[RequestId, AsyncRequest]:
        """Return the rows that exist."""
        with self._lock:
            return {each: self._rows[each] for each in request_ids if each in self._rows}

    def find_by_caller_id(self, tenant: Tenant, caller_id: str) -> AsyncRequest | None:
        """Return the newest row that this caller knows by another id."""
        with self._lock:
            known = [row for row in self._rows.values() if row.caller_id == caller_id]
            own = [row for row in known if row.tenant == tenant]
            return max(own, key=_position, default=None)

    def list_page(
        self, tenant: Tenant, deployment_id: str, *, limit: int, after: str | None = None
    ) -> RequestPage:
        """Return a tenant's requests at a deployment, newest first."""
        listed = list_key(tenant, deployment_id)
        last = None if after is None else Position.decoded(after, listed)
        with self._lock:
            rows = [
                row
                for row in sorted(self._rows.values(), key=_position, reverse=True)
                if list_key(row.tenant, row.deployment_id) == listed
                and (
                    last is None or _position(row) < (last.created_at_microseconds, last.request_id)
                )
            ]
        page = rows[:limit]
        following = Position(listed, *_position(page[-1])).encoded() if rows[limit:] else None
        return RequestPage(page, following)

    def claim(
        self,
        request_id: RequestId,
        worker: str,
        lease_seconds: float,
        *,
        claim_id: str | None = None,
    ) -> AsyncRequest:
        """Take a lease under the next attempt."""
        with self._lock:
            now = self._clock()
            claim_id = claim_id or uuid4().hex
            request = self._rows.get(request_id)
            if request and transitions.is_claim(request, claim_id):
                return request if request.is_leased(now) else self.renew(request, lease_seconds)
            if request is None or not request.is_claimable(now):
                raise ClaimRefusedError(request_id, request)
            leased = {
                "attempt": request.attempt + 1,
                "attempts_left": request.attempts_left - 1,
                "lease_owner": worker,
                "lease_until": now + timedelta(seconds=lease_seconds),
                "claim_id": claim_id,
            }
            claimed = request.moved_to(RequestState.IN_PROGRESS, now)
            return self._moved(claimed.model_copy(update=leased))

    def renew(self, claimed: AsyncRequest, lease_seconds: float) -> AsyncRequest:
        """Move the end of the lease."""
        with self._lock:
            lease_until = self._clock() + timedelta(seconds=lease_seconds)
            held = self._held(claimed)
            return self._moved(held.model_copy(update={"lease_until": lease_until}))

    def finish(self, claimed: AsyncRequest, outcome: Outcome) -> AsyncRequest:
        """Write the terminal state of a held request."""
        with self._lock:
            now = self._clock()
            return self._left(claimed, lambda held: transitions.finished(held, outcome, now))

    def release(
        self,
        claimed: AsyncRequest,
        fault: Fault | None,
        *,
        counts_as_attempt: bool,
        refusal: ServerRefusal | None = None,
    ) -> AsyncRequest:
        """Put a held request back to QUEUED; one that was asked to stop is CANCELED instead."""
        with self._lock:
            now = self._clock()
            try:
                return self._left(
                    claimed,
                    lambda held: transitions.released(
                        held, fault, now, counts_as_attempt=counts_as_attempt, refusal=refusal
                    ),
                )
            except LeaseLostError:
                return self.finish(claimed, Canceled())  # a repeat of a release that did so

    def expire(self, request_id: RequestId, fault: Fault) -> AsyncRequest:
        """Move a request that waited past its deadline to EXPIRED."""
        with self._lock:
            now = self._clock()
            request = self._rows.get(request_id)
            if request is None or not transitions.may_expire(request, now):
                raise ClaimRefusedError(request_id, request)
            return self._moved(transitions.expired(request, fault, now))

    def give_up(self, seen: AsyncRequest, fault: Fault) -> AsyncRequest:
        """Move a request that nobody holds to FAILED, if it is still as it was seen."""
        with self._lock:
            now = self._clock()
            current = self._rows.get(seen.request_id)
            if current is None or not transitions.may_be_given_up(current, seen, now):
                raise ClaimRefusedError(seen.request_id, current)
            return self._moved(transitions.finished(current, Failed(fault=fault), now))

    def cancel(self, request_id: RequestId, *, force: bool = False) -> AsyncRequest:
        """Cancel a request, or ask its worker to stop."""
        with self._lock:
            request = self._rows.get(request_id)
            if request is None:
                raise UnknownRequestError(request_id)
            wanted = transitions.cancellation(request, self._clock(), force=force)
            return self._kept(wanted) if wanted.state is request.state else self._moved(wanted)

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        """Return those whose callers asked them to stop."""
        with self._lock:
            rows = [self._rows[each] for each in dict.fromkeys(request_ids) if each in self._rows]
            return [row.request_id for row in rows if row.cancel_requested]

    def reopen(self, request_id: RequestId) -> AsyncRequest:
        """Queue a FAILED or EXPIRED request again."""
        with self._lock:
            request = self._rows.get(request_id)
            if request is None or not transitions.may_be_reopened(request):
                raise ClaimRefusedError(request_id, request)
            return self._moved(transitions.reopened(request, self._clock()))

    def purge(self) -> Sequence[AsyncRequest]:
        """Remove the rows whose time is up, as DynamoDB does by itself; return them."""
        with self._lock:
            gone = [row for row in self._rows.values() if row.purge_at <= self._clock()]
            for row in gone:
                del self._rows[row.request_id]
                self._due.pop(row.request_id, None)
            return gone

    def count_open(self, tenant: Tenant, limit: int) -> int:
        """Return how many requests of a tenant have not ended, up to `limit`."""
        with self._lock:
            open_rows = [row for row in self._rows.values() if not row.state.is_terminal]
            return min(limit, sum(row.tenant == tenant for row in open_rows))

    def due(self, limit: int) -> Sequence[AsyncRequest]:
        """Return rows that somebody should look at, tenants in turn, longest due first."""
        with self._lock:
            now = self._clock()
            due = sorted((at, request_id) for request_id, at in self._due.items() if at <= now)
            rows = [self._rows[request_id] for _, request_id in due]
            return in_turn(rows, lambda row: row.tenant)[:limit]

    def postpone(self, request_id: RequestId, seconds: float) -> None:
        """Be due no earlier than so long from now."""
        with self._lock:
            if request_id in self._due:
                until = self._clock() + timedelta(seconds=seconds)
                self._due[request_id] = max(self._due[request_id], until)

    def mark_notified(self, ended: AsyncRequest, failure: StoredObject | None = None) -> None:
        """Remember when an end was first announced."""
        with self._lock:
            request = self._still(ended)
            if request is not None and request.state.is_terminal and request.notified_at is None:
                changes = transitions.notified(failure, self._clock())
                self._moved(request.model_copy(update=changes))

    def record_webhook(self, ended: AsyncRequest, status: WebhookStatus) -> None:
        """Write what became of the webhook of an end, if it has one."""
        with self._lock:
            request = self._still(ended)
            if request is not None and request.webhook_endpoint is not None:
                self._kept(request.model_copy(update=transitions.webhook_recorded(status)))

    def count_webhook_attempt(self, ended: AsyncRequest) -> int | None:
        """Count an attempt to deliver the webhook of an end."""
        with self._lock:
            request = self._still(ended)
            if request is None:
                return None
            attempts = request.webhook_attempts + 1
            self._kept(request.model_copy(update={"webhook_attempts": attempts}))
            return attempts

    def _still(self, seen: AsyncRequest) -> AsyncRequest | None:
        """Return the row, if it is in the state and attempt in which it was seen."""
        current = self._rows.get(seen.request_id)
        is_same = current is not None and transitions.is_same_stand(current, seen)
        return current if is_same else None

    def _held(self, claimed: AsyncRequest) -> AsyncRequest:
        current = self._rows.get(claimed.request_id)
        if (
            current is None
            or current.state is not RequestState.IN_PROGRESS
            or (current.lease_owner, current.attempt) != (claimed.lease_owner, claimed.attempt)
        ):
            raise LeaseLostError(claimed.request_id, claimed.attempt)
        return current

    def _left(
        self, claimed: AsyncRequest, leaving: Callable[[AsyncRequest], AsyncRequest]
    ) -> AsyncRequest:
        try:
            return self._moved(leaving(self._held(claimed)))
        except LeaseLostError:
            current = self._rows.get(claimed.request_id)
            if current and transitions.was_left_so(current, leaving(claimed)):
                return current
            raise

    def _moved(self, request: AsyncRequest) -> AsyncRequest:
        """Keep a row that has just come to be as it is, and when somebody should look at it."""
        due = due_at(request, self._clock())
        if due is None:
            self._due.pop(request.request_id, None)
        else:
            self._due[request.request_id] = due
        return self._kept(request)

    def _kept(self, request: AsyncRequest) -> AsyncRequest:
        self._rows[request.request_id] = request
        return request


def _position(row: AsyncRequest) -> tuple[int, RequestId]:
    """Return where a row stands in a list of all."""
    return microseconds_of(row.created_at), row.request_id
