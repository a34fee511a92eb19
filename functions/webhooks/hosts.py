"""Keeping receivers that are slow or dead from holding up the others.

What is known of a host lives in one Lambda execution environment: its visits and its circuit are
shared by the threads of a batch and by the batches that this environment is given one after the
other. Environments share nothing, on purpose: each finds out by itself within a few attempts, and
no store stands between a webhook and its receiver. So a host sees at most `visits_at_a_time` calls
from each environment, and as many probes per cool-down as there are environments. What must not
depend on where a message was received is elsewhere: the attempts are counted in the row, the delay
lies in the queue.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Condition

from penstock.contracts.errors import PenstockError
from penstock.contracts.ports.clock import Clock

_FIRST_COOL_DOWN_SECONDS = 30.0
_LONGEST_COOL_DOWN_SECONDS = 600.0
_BUSY_SECONDS = 5.0
_REMEMBERED_HOSTS = 5_000


class HostAvoidedError(PenstockError):
    """The host is not called now; that says nothing of the webhook."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        """After which it is worth another look."""


class Visit:
    """One call of a host; who makes it says whether the host was well."""

    def __init__(self) -> None:
        self.went_well: bool | None = None
        """`None`: nothing was learnt of the host."""


@dataclass
class _Host:
    visits: int = 0
    failures: int = 0
    open_until: datetime | None = None
    """The circuit is open until then, and half-open afterwards: one visit at a time."""


class Hosts:
    """Bounds the calls of each host, and leaves one alone that keeps failing.

    A circuit opens after so many failures in a row and stays open for 30 s. After that a single
    visit probes the host: if it goes well the circuit closes, else it opens for twice as long, up
    to ten minutes.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        failures_to_open: int = 5,
        visits_at_a_time: int = 4,
        patience_seconds: float = 2,
    ) -> None:
        # Wall time: a monotonic clock stands still while Lambda freezes the environment.
        self._clock = clock
        self._failures_to_open = failures_to_open
        self._visits_at_a_time = visits_at_a_time
        self._patience_seconds = patience_seconds
        self._hosts: dict[str, _Host] = {}
        self._changed = Condition()

    @contextmanager
    def visit(self, name: str, *, whatever_happened: bool = False) -> Iterator[Visit]:
        """Hold one of the host's places.

        Args:
            name: Whose failures are counted together.
            whatever_happened: Call it even if its circuit is open.

        Raises:
            HostAvoidedError: its circuit is open, or its places stayed taken.
        """
        host = self._enter(name, whatever_happened=whatever_happened)
        visit = Visit()
        try:
            yield visit
        finally:
            self._leave(host, visit)

    def _enter(self, name: str, *, whatever_happened: bool) -> _Host:
        with self._changed:
            self._forget_some()
            host = self._hosts.setdefault(name, _Host())
            if not whatever_happened:
                # A host that answers quickly gives a place back soon: better than coming again.
                has_place = self._changed.wait_for(
                    lambda: self._is_open(host) or host.visits < self._places(host),
                    self._patience_seconds,
                )
                if self._is_open(host):
                    seconds = (host.open_until - self._clock()).total_seconds()  # type: ignore[operator]  # open: it has a time
                    reason = f"the last {host.failures} calls of the host failed"
                    raise HostAvoidedError(reason, seconds)
                if not has_place:
                    raise HostAvoidedError("the host is busy with other webhooks", _BUSY_SECONDS)
            host.visits += 1
            return host

    def _leave(self, host: _Host, visit: Visit) -> None:
        with self._changed:
            host.visits -= 1
            if visit.went_well:
                host.failures, host.open_until = 0, None
            # What began before the circuit opened says nothing new.
            elif visit.went_well is False and not self._is_open(host):
                host.failures += 1
                if host.failures >= self._failures_to_open:
                    host.open_until = self._clock() + self._cool_down(host.failures)
            self._changed.notify_all()

    def _is_open(self, host: _Host) -> bool:
        return host.open_until is not None and self._clock() < host.open_until

    def _places(self, host: _Host) -> int:
        return 1 if host.open_until else self._visits_at_a_time

    def _cool_down(self, failures: int) -> timedelta:
        doublings = min(failures - self._failures_to_open, 10)
        seconds = min(_FIRST_COOL_DOWN_SECONDS * 2**doublings, _LONGEST_COOL_DOWN_SECONDS)
        return timedelta(seconds=seconds)

    def _forget_some(self) -> None:
        """Keep callers who invent host names from filling the memory."""
        if len(self._hosts) >= _REMEMBERED_HOSTS:
            self._hosts = {name: host for name, host in self._hosts.items() if host.visits}
