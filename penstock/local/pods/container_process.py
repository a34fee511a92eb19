"""The process of one container, started again whenever it ends, as the kubelet would."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from penstock.local.pods.backoff import Backoff
from penstock.local.processes import Child, Command

_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 10.0


class ContainerProcess:
    """Keeps one process running until it is stopped."""

    def __init__(
        self, command: Command, state_folder: Path, on_restart: Callable[["ContainerProcess"], None]
    ) -> None:
        self.name = command.name
        self.restarts = 0
        self.exit_status: int | None = None
        """Of the last process that ended by itself."""

        self.fault: str | None = None
        """Why no process can be started at present."""

        self._command = command
        self._state_folder = state_folder
        self._on_restart = on_restart
        self._stop_requested = asyncio.Event()
        self._grace_seconds = 0.0
        self._child: Child | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return self._child.pid if self._child and self._child.is_running else None

    async def start(self) -> None:
        """Start the process, and keep it running in the background."""
        child = await Child.start(self._command, self._state_folder)
        self._child = child
        self._keeping = asyncio.create_task(self._keep_running(child))

    async def end(self, grace_seconds: float) -> None:
        """End the process within the grace; it is started again."""
        if self._child:
            await self._child.stop(grace_seconds)

    async def stop(self, grace_seconds: float) -> None:
        """Let the process end within the grace; do not start it again."""
        self._grace_seconds = grace_seconds
        self._stop_requested.set()
        if self._child:
            await self._child.stop(grace_seconds)
        if self._keeping:
            await self._keeping

    async def _keep_running(self, child: Child) -> None:
        backoff = Backoff(_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS)
        while True:
            started_at = time.monotonic()
            self.exit_status = await child.ended()
            child.kill()  # what it started lives in its group
            if time.monotonic() - started_at > _LONGEST_DELAY_SECONDS:
                backoff.reset()
            following = await self._started_again(backoff)
            if following is None:
                return
            child = following
            self.restarts += 1
            self._on_restart(self)
            if self._stop_requested.is_set():  # while it was being started
                await child.stop(self._grace_seconds)

    async def _started_again(self, backoff: Backoff) -> Child | None:
        """Return the next process, however often it takes; `None` if none is wanted any more."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop_requested.wait(), backoff.next_seconds())
            if self._stop_requested.is_set():
                return None
            try:
                self._child = await Child.start(self._command, self._state_folder)
            except OSError as error:  # its program or its folder is gone, or there is no memory
                self.fault = f"{self.name} cannot be started: {error}"
                continue
            self.fault = None
            return self._child
