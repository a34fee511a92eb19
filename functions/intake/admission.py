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
        if self.rate is not None:
            self.rate.take(tenant)
        if self.outstanding_limit:
            self._count_outstanding(tenant)

    def _count_outstanding(self, tenant: Tenant) -> None:
        with self._lock:
            count = self._counts.get(tenant)
            now = self.clock()
            if count is None or count.counted_at + _KEPT_FOR <= now:
                count = _Count(self.requests.count_open(tenant, self.outstanding_limit), now)
                self._counts[tenant] = count
            if count.outstanding >= self.outstanding_limit:
                raise RateLimitedError(
                    f"{self.outstanding_limit} requests are outstanding, the most allowed",
                    _RETRY_AFTER_SECONDS,
                )
            count.outstanding += 1
