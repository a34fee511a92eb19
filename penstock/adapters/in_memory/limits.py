"""Counting each tenant's requests by the second, in a dictionary."""

from collections import Counter
from threading import RLock

from penstock.contracts.errors import RateLimitedError
from penstock.contracts.ports.clock import Clock
from penstock.contracts.request import Tenant


class InMemoryRateLimit:
    """`RateLimit` that any number of threads may share."""

    def __init__(self, requests_per_second: int, clock: Clock) -> None:
        self._limit = requests_per_second
        self._clock = clock
        self._taken: Counter[tuple[Tenant, int]] = Counter()
        self._lock = RLock()

    def take(self, tenant: Tenant, count: int = 1) -> None:
        """Count requests, unless there would be too many in this second."""
        window = (tenant, int(self._clock().timestamp()))
        with self._lock:
            if self._taken[window] + count > self._limit:
                raise RateLimitedError(f"more than {self._limit} requests per second", 1)
            self._taken[window] += count
