"""The life of a dispatcher process: work until asked to stop, then drain."""

import asyncio
import logging
import math
import time
from dataclasses import dataclass, field

from penstock.contracts.ports.requests import Delivery
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Interruption
from runtime_image.dispatcher.scheduling.lanes import Lanes
from runtime_image.dispatcher.worker import Worker

logger = logging.getLogger(__name__)


class Drain:
    """That the worker must stop, and how long running requests may go on."""

    def __init__(self, seconds: float) -> None:
        self.requested = asyncio.Event()
        self._seconds = seconds
        self._deadline = math.inf

    def request(self, seconds: float | None = None) -> None:
        """Stop within `seconds`, or the usual time; the nearest deadline asked for counts."""
        wanted = self._seconds if seconds is None else min(seconds, self._seconds)
        self._deadline = min(self._deadline, time.monotonic() + max(0.0, wanted))
        self.requested.set()

    def seconds_left(self) -> float:
        """Return how long running requests may still go on."""
        return max(0.0, self._deadline - time.monotonic())


@dataclass
class Process:
    """Runs a wired worker until it is asked to stop, then drains it."""

    worker: Worker
    lanes: Lanes
    heartbeats: Heartbeats
    readiness: Readiness
    drain: Drain
    _carried: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Work until a drain is requested; return when nothing is left in hand."""
        background: list[asyncio.Task[None]] = [
            asyncio.create_task(self.heartbeats.run()),
            asyncio.create_task(self.heartbeats.watch_cancellations()),
            asyncio.create_task(self.readiness.watch()),
        ]
        receiving = asyncio.create_task(self.lanes.run(self._carry))
        stopping = asyncio.create_task(self.drain.requested.wait())
        try:
            done, _ = await asyncio.wait(
                {receiving, stopping, *background}, return_when=asyncio.FIRST_COMPLETED
            )
            for died in done - {stopping}:
                # Nothing in hand is sure to stay ours: it is given back at once.
                logger.critical("a part of the worker died", exc_info=died.exception())
                self.drain.request(0)
            await self._drain(receiving)
            for task in background:
                if task.done():
                    task.result()  # a heartbeat that died ends the process with its error
        finally:
            stopping.cancel()
            for task in background:
                task.cancel()

    def _carry(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self.worker.carry(delivery))
        self._carried.add(task)
        task.add_done_callback(self._carried.discard)

    async def _drain(self, receiving: asyncio.Task[None]) -> None:
        logger.info("draining", extra={"held": len(self._carried)})
        self.lanes.stop()
        self.worker.gate.close()
        await asyncio.wait({receiving})
        while self._carried and (left := self.drain.seconds_left()) > 0:
            # A spot notice may shorten the time while we wait.
            await asyncio.wait(self._carried, timeout=min(left, 1))
        for held in list(self.heartbeats.held):
            held.interrupt(Interruption.DRAINED)
        if self._carried:
            await asyncio.wait(self._carried)
        logger.info("drained")
        receiving.result()  # a poller that died ends the process with its error
