"""The life of a dispatcher process: work until asked to stop, then drain."""

import asyncio
import logging
from dataclasses import dataclass, field

from penstock.contracts.ports.requests import Delivery
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Interruption
from runtime_image.dispatcher.scheduling.lanes import Lanes
from runtime_image.dispatcher.worker import Worker

logger = logging.getLogger(__name__)


@dataclass
class Process:
    """Runs a wired worker until it is asked to stop, then drains it."""

    worker: Worker
    lanes: Lanes
    heartbeats: Heartbeats
    readiness: Readiness
    drain_seconds: float
    stop_requested: asyncio.Event
    _carried: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Work until `stop_requested`; return when nothing is left in hand."""
        background: list[asyncio.Task[None]] = [
            asyncio.create_task(self.heartbeats.run()),
            asyncio.create_task(self.readiness.watch()),
        ]
        receiving = asyncio.create_task(self.lanes.run(self._carry))
        stopping = asyncio.create_task(self.stop_requested.wait())
        try:
            await asyncio.wait(
                {receiving, stopping, *background}, return_when=asyncio.FIRST_COMPLETED
            )
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
        deadline = asyncio.get_running_loop().time() + self.drain_seconds
        await receiving
        if self._carried:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(self._carried, timeout=left)
        for held in list(self.heartbeats.held):
            held.interrupt(Interruption.DRAINED)
        if self._carried:
            await asyncio.wait(self._carried)
        logger.info("drained")
