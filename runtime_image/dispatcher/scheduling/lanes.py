"""Receiving: strict priority over the three queues of the deployment."""

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import Enum

from penstock.contracts.ports.requests import Delivery, RequestQueue
from penstock.protocol.putting_back import put_back
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.scheduling.endurance import Endurance
from runtime_image.dispatcher.scheduling.gate import RECEIVE_LIMIT, Gate

PRIORITIES = range(3)
_WAIT_SECONDS = 2
"""One long poll; a drain waits for polls under way, so it is short."""

_QUIET_SECONDS = 0.05
"""A long poll that has waited so long has found its lane empty."""

_PAUSE_SECONDS = 1.0
"""Between receives while SQS fails."""


class _Lane(Enum):
    """What is known of a lane."""

    EMPTY = "empty"
    """It had fewer messages than were asked for."""

    HAS_MORE = "has more"
    UNKNOWN = "unknown"
    """Nobody has looked since the worker had room for its messages."""


class Lanes:
    """Long-polls every lane; a lower one is served only while the higher ones are empty.

    A message that arrives while its lane is being polled comes at once, so an idle worker starts
    any priority immediately; under load a lane is polled only when what it brings may start. Then
    all lanes are asked at once, and what a lower one answers first waits for the higher ones.
    """

    def __init__(
        self,
        queue: RequestQueue,
        gate: Gate,
        *,
        lease_seconds: float,
        readiness: Readiness,
    ) -> None:
        self._queue = queue
        self._gate = gate
        self._lease_seconds = lease_seconds
        self._readiness = readiness
        self._threads = Threads("receive", len(PRIORITIES))
        self._receiving = [Endurance(f"receive from lane {each} failed") for each in PRIORITIES]
        self._returning = Endurance("messages not returned")
        self._known = [_Lane.UNKNOWN] * len(PRIORITIES)
        self._news = asyncio.Event()
        self._stopped = asyncio.Event()
        readiness.call_when_lost(self._news.set)

    async def run(self, carry: Callable[[Delivery], None]) -> None:
        """Hand every received message to `carry`, until stopped."""
        async with asyncio.TaskGroup() as pollers:
            for priority in PRIORITIES:
                pollers.create_task(self._poll(priority, carry))

    def stop(self) -> None:
        """Receive no more; polls under way end within two seconds."""
        self._stopped.set()
        self._news.set()

    def close(self) -> None:
        """Release the threads."""
        self._threads.close()

    async def _poll(self, priority: int, carry: Callable[[Delivery], None]) -> None:
        while True:
            await self._turn(priority)
            if self._stopped.is_set():
                return
            asked = min(RECEIVE_LIMIT, max(1, self._gate.room(priority)))
            deliveries = await self._receive(priority, asked)
            if deliveries and not await self._higher_lanes_known(priority):
                await self._return(deliveries)
                self._learn(priority, _Lane.UNKNOWN)
                continue
            await self._hand_over(priority, deliveries, carry)
            if deliveries:
                # Only now, so that a lower lane finds these counted. A trickle leaves slots free:
                # it must not close the lower lanes for as long as it lasts.
                is_drained = len(deliveries) < asked
                self._learn(priority, _Lane.EMPTY if is_drained else _Lane.HAS_MORE)

    async def _hand_over(
        self, priority: int, deliveries: Sequence[Delivery], carry: Callable[[Delivery], None]
    ) -> None:
        uncounted = 0
        for delivery in deliveries:
            if self._stopped.is_set() or self._gate.overflows(priority, uncounted):
                await self._return([delivery])
                uncounted = 0  # their tasks have begun meanwhile
            else:
                carry(delivery)
                uncounted += 1

    async def _turn(self, priority: int) -> None:
        """Wait until this lane may be polled."""
        while not self._stopped.is_set():
            if not self._readiness.is_ready:
                await self._ready_or_stopped()
            elif not self._gate.is_worth_a_receive(priority):
                if self._known[priority] is _Lane.EMPTY:
                    self._learn(priority, _Lane.UNKNOWN)
                await self._gate.change()
            elif self._is_behind(priority, _Lane.HAS_MORE):
                await self._something_new()
            else:
                return

    async def _higher_lanes_known(self, priority: int) -> bool:
        """Wait until the higher lanes have answered too, or there is no room left anyway.

        False if they will not answer: they are not asked while the model server is not ready.
        """
        while not (self._stopped.is_set() or self._gate.overflows(priority)):
            if not self._is_behind(priority, _Lane.UNKNOWN):
                return True
            if not self._readiness.is_ready:
                return False
            await self._something_new()
        return True

    def _is_behind(self, priority: int, known: _Lane) -> bool:
        return known in self._known[:priority] and not self._gate.is_guaranteed(priority)

    async def _something_new(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _learn(self, priority: int, known: _Lane) -> None:
        self._known[priority] = known
        self._news.set()

    async def _ready_or_stopped(self) -> None:
        waits = {
            asyncio.ensure_future(self._readiness.wait()),
            asyncio.ensure_future(self._stopped.wait()),
        }
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _receive(self, priority: int, asked: int) -> Sequence[Delivery]:
        started = time.monotonic()
        found_empty = asyncio.get_running_loop().call_later(
            _QUIET_SECONDS, self._learn, priority, _Lane.EMPTY
        )
        deliveries: Sequence[Delivery] | None = None
        try:
            with self._receiving[priority]:
                deliveries = await self._threads(
                    self._queue.receive,
                    priority=priority,
                    max_messages=asked,
                    wait_seconds=_WAIT_SECONDS,
                    visible_after_seconds=self._lease_seconds,
                )
        finally:
            found_empty.cancel()
        if deliveries is None:
            # Lower lanes need not wait for one that cannot be read.
            self._learn(priority, _Lane.EMPTY)
            await asyncio.sleep(_PAUSE_SECONDS)
            return ()
        if not deliveries:
            self._learn(priority, _Lane.EMPTY)
            # A queue that does not wait must not make us spin.
            await asyncio.sleep(max(0.0, _QUIET_SECONDS - (time.monotonic() - started)))
        return deliveries

    async def _return(self, deliveries: Sequence[Delivery]) -> None:
        with self._returning:
            await self._threads(put_back, self._queue, deliveries, 0)
