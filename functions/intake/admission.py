"""Deciding whether a tenant may send another request now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from penstock.contracts.errors import RateLimitedError
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.limits import RateLimit
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import Tenant

_KEPT_FOR = timedelta(seconds=3)
"""How long a count is believed; what this process admits meanwhile is added to it."""

_RETRY_AFTER_SECONDS = 10


@dataclass
class _Count:
    outstanding: int
    counted_at: datetime


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Holds each tenant to the limits of the stack.

    The rate is exact. Outstanding requests are counted every few seconds by each process, so a
    tenant may pass that limit by what other processes admit in between.
    """

    rate: RateLimit | None
    """`None`: no limit."""

    requests: RequestStore
    outstanding_limit: int
    """0: no limit."""

    clock: Clock
    _counts: dict[Tenant, _Count] = field(default_factory=dict, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def admit(self, tenant: Tenant) -> None:
        """Count a request that is about to be accepted.

        Raises:
            RateLimitedError: it is one too many.
            UnavailableError: the limits could not be looked up.
        """
        self.admit_some(tenant, 1)

    def admit_some(self, tenant: Tenant, wanted: int) -> int:
        """Count as many of `wanted` requests as may be accepted now; return how many these are.

        Raises:
            RateLimitedError: none of them may.
            UnavailableError: the limits could not be looked up.
        """
        with self._lock:
            count = self._count_of(tenant) if self.outstanding_limit else None
            room = wanted if count is None else min(wanted, self._room(count))
            admitted = room if self.rate is None else _taken(self.rate, tenant, room)
            if count is not None:
                count.outstanding += admitted
            return admitted

    def count_call(self, tenant: Tenant) -> None:
        """Count a call that starts no request; raise `RateLimitedError` if it is one too many."""
        if self.rate is not None:
            self.rate.take(tenant)

    def _count_of(self, tenant: Tenant) -> _Count:
        count, now = self._counts.get(tenant), self.clock()
        if count is None or count.counted_at + _KEPT_FOR <= now:
            count = _Count(self.requests.count_open(tenant, self.outstanding_limit), now)
            self._counts[tenant] = count
        return count

    def _room(self, count: _Count) -> int:
        if count.outstanding >= self.outstanding_limit:
            raise RateLimitedError(
                f"{self.outstanding_limit} requests are outstanding, the most allowed",
                _RETRY_AFTER_SECONDS,
            )
        return self.outstanding_limit - count.outstanding


def _taken(rate: RateLimit, tenant: Tenant, wanted: int) -> int:
    """Take as many as the rate allows, halving what is asked for at every refusal."""
    taken, size = 0, wanted
    refusal: RateLimitedError | None = None
    while size and taken < wanted:
        try:
            rate.take(tenant, size)
            taken += size
            size = min(size, wanted - taken)
        except RateLimitedError as error:
            refusal = error
            size //= 2
    if refusal is not None and not taken:
        raise refusal
    return taken
