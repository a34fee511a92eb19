"""Repeating what AWS does not take: for ever at our own places, for a while at a caller's."""

import asyncio
import logging
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from penstock.contracts.errors import UnavailableError
from penstock.contracts.request import Tenant
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.tickets import Ticket

logger = logging.getLogger(__name__)

T = TypeVar("T")

_PATIENCE_SECONDS = 300.0
"""How long an end waits for a place or topic that its caller named."""

_SLOW_SECONDS = 2.0
"""An end that is not over by then waits for such a place."""

_MOST_ENDS = 500
_MOST_BYTES = 128 * 1024**2
"""Of all ends that wait so, with their answers; beyond it the busiest tenant's oldest gives way."""

_CALLS_PER_TENANT = 4
"""At once, at such places: those that hang leave threads to others."""


async def persistently(
    step: Callable[[], Awaitable[T]],
    *,
    for_seconds: float = math.inf,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Repeat a step until AWS takes it: what the model made is not thrown away for a throttle.

    Heartbeats go on meanwhile; a step of a lease that was lost raises `LeaseLostError`. Where
    nothing is made yet, `pause` may end the wait with an error.
    """
    now = asyncio.get_running_loop().time
    ends_at = now() + for_seconds
    for pause_seconds in _pauses():
        try:
            return await step()
        except UnavailableError as error:
            logger.warning("AWS unavailable", extra={"reason": str(error)})
            if now() + pause_seconds > ends_at:
                raise
        await pause(pause_seconds)
    raise AssertionError("there is always another pause")


@dataclass(eq=False)
class End:
    """A request's end that needs a place or topic which its caller named."""

    ticket: Ticket
    tenant: Tenant
    size_bytes: int = 0
    """Of the answer that waits with it."""

    waits_until: float = math.inf
    limit: asyncio.Timeout | None = field(default=None, repr=False)

    def give_way(self, now: float) -> None:
        """Wait no longer; a call under way is not broken off."""
        self.waits_until = now
        if self.limit is not None:
            self.limit.reschedule(now)

    async def waits_for(self, awaited: Awaitable[object]) -> bool:
        """Return whether `awaited` came before this end's time was up."""
        try:
            async with asyncio.timeout_at(self.waits_until) as self.limit:
                await awaited
        except TimeoutError:
            return False
        finally:
            self.limit = None
        return True


class CallersPlaces:
    """Ends that wait for places of their callers take nothing from other ends.

    Neither the gate's room for ends, nor threads, nor more memory or disk than is set aside.
    """

    def __init__(self, gate: Gate, threads: Threads) -> None:
        """Wire it; `threads` are for nothing else."""
        self._gate = gate
        self._threads = threads
        self._turns: dict[Tenant, asyncio.Semaphore] = {}
        self._waiting: dict[End, None] = {}
        """In the order in which they came here."""

    async def insist(
        self,
        end: End,
        step: Callable[[Threads], Awaitable[T]],
        otherwise: Callable[[Threads], Awaitable[T]],
    ) -> T:
        """Repeat a step at a caller's place for a while; then do what needs no such place."""
        loop = asyncio.get_running_loop()
        end.waits_until = loop.time() + _PATIENCE_SECONDS
        slow = loop.call_later(_SLOW_SECONDS, self._set_aside, end)
        if any(other.tenant == end.tenant for other in self._waiting):
            self._set_aside(end)
        turn = self._turns.setdefault(end.tenant, asyncio.Semaphore(_CALLS_PER_TENANT))
        try:
            for pause_seconds in _pauses():
                if not await end.waits_for(turn.acquire()):
                    break
                try:
                    return await step(self._threads)
                except UnavailableError as error:
                    logger.warning("caller's place unavailable", extra={"reason": str(error)})
                finally:
                    turn.release()
                self._set_aside(end)
                if not await end.waits_for(asyncio.sleep(pause_seconds)):
                    break
        finally:
            slow.cancel()
            self._take_back(end)
        return await persistently(lambda: otherwise(self._threads))

    def _set_aside(self, end: End) -> None:
        if end in self._waiting:
            return
        self._gate.set_aside(end.ticket)
        self._waiting[end] = None
        now = asyncio.get_running_loop().time()
        staying = [one for one in self._waiting if one.waits_until > now]
        while len(staying) > 1 and _are_too_many(staying):
            (busiest, _), *_ = Counter(one.tenant for one in staying).most_common(1)
            oldest = next(one for one in staying if one.tenant == busiest)
            oldest.give_way(now)
            staying.remove(oldest)

    def _take_back(self, end: End) -> None:
        if self._waiting.pop(end, end) is None:
            self._gate.end(end.ticket)


def _are_too_many(ends: list[End]) -> bool:
    return len(ends) > _MOST_ENDS or sum(one.size_bytes for one in ends) > _MOST_BYTES


def _pauses() -> Iterator[float]:
    """Yield growing pauses in seconds, without end."""
    longest = 0.2
    while True:
        yield longest * random.random()  # noqa: S311 - spreads repeats, hides nothing
        longest = min(2 * longest, 10.0)
