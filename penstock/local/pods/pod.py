"""One replica of a deployment: a process per container, and whether it is ready."""

import asyncio
import time
from typing import Literal

import aiohttp

from penstock.local.pods.container_process import ContainerProcess
from penstock.local.pods.events import EventLog
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.workload import Workload
from penstock.local.processes import free_port
from penstock.local.state import PodStatus, ProcessStatus

_STARTING_PROBE_SECONDS = 0.2
_READY_PROBE_SECONDS = 1.0

Phase = Literal["starting", "ready", "stopping"]


class Pod:
    """The processes of one replica."""

    def __init__(self, name: str, workload: Workload, launcher: Launcher, events: EventLog) -> None:
        self.name = name
        self.phase: Phase = "starting"
        self._workload = workload
        self._events = events
        self._ports = {port: free_port() for port in sorted(workload.ports)}
        self._processes = [
            ContainerProcess(
                launcher.command(workload, container, name, self._ports),
                launcher.state.path,
                self._restarted,
            )
            for container in workload.containers
        ]
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start all containers; readiness is watched in the background."""
        for process in self._processes:
            await process.start()
        self._tell("started")
        self._watching = asyncio.create_task(self._watch_readiness())

    async def stop(self, grace_seconds: float | None = None) -> None:
        """End the containers in the order they are declared, each once the one before is gone.

        So a dispatcher drains while its model server still answers. What is left when the grace
        of the pod is over is killed.
        """
        self.phase = "stopping"
        if self._watching:
            self._watching.cancel()
        grace = self._workload.grace_seconds if grace_seconds is None else grace_seconds
        deadline = time.monotonic() + grace
        self._tell("stopping")
        for process in self._processes:
            await process.stop(max(0.1, deadline - time.monotonic()))
        self._tell("stopped")

    @property
    def status(self) -> PodStatus:
        """What `penstock local status` shows."""
        return PodStatus(
            name=self.name,
            phase=self.phase,
            processes=tuple(
                ProcessStatus(name=process.name, pid=process.pid, restarts=process.restarts)
                for process in self._processes
            ),
        )

    def _restarted(self, process: ContainerProcess) -> None:
        self._tell("restarted", process=process.name, exit_status=process.exit_status)

    def _tell(self, event: str, **facts: object) -> None:
        pids = [process.pid for process in self._processes]
        self._events.write(event, pod=self.name, pids=pids, **facts)

    async def _watch_readiness(self) -> None:
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                if await self._is_ready(session):
                    if self.phase == "starting":
                        self.phase = "ready"
                        self._tell("ready")
                    await asyncio.sleep(_READY_PROBE_SECONDS)
                else:
                    if self.phase == "ready":
                        self.phase = "starting"
                        self._tell("unready")
                    await asyncio.sleep(_STARTING_PROBE_SECONDS)

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        for container in self._workload.containers:
            if probe := container.readiness:
                url = f"http://127.0.0.1:{self._ports[probe.port]}{probe.path}"
                try:
                    async with session.get(url) as answer:
                        if answer.status >= 400:  # noqa: PLR2004 - as the kubelet counts
                            return False
                except (aiohttp.ClientError, TimeoutError):
                    return False
        return True
