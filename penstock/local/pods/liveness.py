"""Ends a container whose liveness probe fails, as the kubelet does, so that it starts again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from penstock.local.pods.workload import Probe

Passes = Callable[[Probe], Awaitable[bool]]


class Restartable(Protocol):
    """What a liveness watch needs of a container's process."""

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""

    @property
    def restarts(self) -> int:
        """How often it was started again."""

    async def end(self, grace_seconds: float) -> None:
        """End the process; it is started again."""


@dataclass(frozen=True, kw_only=True)
class LivenessWatch:
    """Watches the processes of one container, one after the other."""

    process: Restartable
    startup: Probe | None
    liveness: Probe
    passes: Passes
    grace_seconds: float
    """The pod's, for a probe that has none of its own."""

    on_failure: Callable[[Probe], None]

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            await self._watch_one_process()

    async def _watch_one_process(self) -> None:
        """Probe until another process runs: first until it is up, then whether it stays so."""
        restarts, began = self.process.restarts, time.monotonic()
        is_up, failures = False, 0
        while self.process.restarts == restarts:
            probe = self.liveness if is_up or self.startup is None else self.startup
            await asyncio.sleep(began + probe.initial_delay_seconds - time.monotonic())
            passed = await self.passes(probe)
            if self.process.restarts != restarts:
                return  # meanwhile it ended by itself; the answer is not about the next one
            if passed:
                is_up, failures = True, 0
            elif self.process.pid is not None:
                failures += 1
            if failures >= probe.failure_threshold:
                self.on_failure(probe)
                grace = probe.grace_seconds
                await self.process.end(self.grace_seconds if grace is None else grace)
                is_up, failures = False, 0
            await asyncio.sleep(probe.period_seconds)
