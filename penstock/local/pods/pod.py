"""One replica of a deployment: a process per container, probed as the kubelet would."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import aiohttp

from penstock.local.faults import explained
from penstock.local.pods.backoff import Backoff
from penstock.local.pods.container_process import ContainerProcess
from penstock.local.pods.events import EventLog
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.liveness import LivenessWatch, Passes
from penstock.local.pods.workload import Probe, Workload
from penstock.local.processes import free_port
from penstock.local.state import PodStatus, ProcessStatus

_STARTING_PROBE_SECONDS = 0.2
_READY_PROBE_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 30.0

Phase = Literal["starting", "ready", "stopping"]

logger = logging.getLogger(__name__)


class Pod:
    """The processes of one replica."""

    def __init__(self, name: str, workload: Workload, launcher: Launcher, events: EventLog) -> None:
        self.name = name
        self.phase: Phase = "starting"
        self._workload = workload
        self._events = events
        self._ports = {port: free_port() for port in sorted(workload.ports)}
        self._processes = {
            container.name: ContainerProcess(
                launcher.command(workload, container, name, self._ports),
                launcher.state.path,
                self._restarted,
            )
            for container in workload.containers
        }
        self._watching: asyncio.Task[None] | None = None
        self._fault: str | None = None

    async def start(self) -> None:
        """Start all containers; they are probed in the background.

        As in Kubernetes, what serves a model credentials is up before the model starts. A
        dispatcher, which Kubernetes holds back until the startup probe of its model server passes,
        starts beside the loading model: it takes nothing before its model server is ready anyway.
        """
        for container in self._workload.containers:
            await self._processes[container.name].start()
            if container.is_sidecar and container.has_aws and container.startup is not None:
                await self._wait_for(container.startup)
        self._tell("started")
        self._watching = asyncio.create_task(self._keep_watching())

    async def stop(self, grace_seconds: float | None = None) -> None:
        """End the containers in their order; whatever outlives the pod's grace is killed."""
        self.phase = "stopping"
        if self._watching:
            self._watching.cancel()
        grace = self._workload.grace_seconds if grace_seconds is None else grace_seconds
        deadline = time.monotonic() + grace
        self._tell("stopping")
        for containers in self._workload.ending_order:
            left = max(0.1, deadline - time.monotonic())
            await asyncio.gather(*(self._processes[c.name].stop(left) for c in containers))
        self._tell("stopped")

    @property
    def fault(self) -> str | None:
        """Why it is not as it should be; it is tried again."""
        faults = (self._fault, *(process.fault for process in self._processes.values()))
        return next(filter(None, faults), None)

    @property
    def status(self) -> PodStatus:
        """What `penstock local status` shows."""
        return PodStatus(
            name=self.name,
            phase=self.phase,
            processes=tuple(
                ProcessStatus(name=process.name, pid=process.pid, restarts=process.restarts)
                for process in self._processes.values()
            ),
        )

    def _restarted(self, process: ContainerProcess) -> None:
        self._tell("restarted", process=process.name, exit_status=process.exit_status)

    def _tell(self, event: str, **facts: object) -> None:
        pids = [process.pid for process in self._processes.values()]
        self._events.write(event, pod=self.name, pids=pids, **facts)

    async def _keep_watching(self) -> None:
        backoff = Backoff(_READY_PROBE_SECONDS, _LONGEST_DELAY_SECONDS)
        while True:
            try:
                await self._watch()
            except Exception as error:
                self._fault = f"{self.name} is not watched: {explained(error)}"
                logger.exception("pod %s is not watched", self.name)
                self._tell("failed", error=self._fault)
            await asyncio.sleep(backoff.next_seconds())
            self._fault = None

    async def _wait_for(self, startup: Probe) -> None:
        """Wait until a container is up; one that never is ends, as every fault of it, elsewhere."""
        ends_at = time.monotonic() + startup.period_seconds * startup.failure_threshold
        async with self._probing() as passes:
            while not await passes(startup) and time.monotonic() < ends_at:
                await asyncio.sleep(_STARTING_PROBE_SECONDS)

    @asynccontextmanager
    async def _probing(self) -> AsyncIterator[Passes]:
        # As the kubelet: no environment, no connection kept for the next probe.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:

            async def passes(probe: Probe) -> bool:
                try:
                    async with asyncio.timeout(probe.timeout_seconds):
                        return await _passes(probe, self._ports[probe.port], session)
                except (OSError, aiohttp.ClientError):
                    return False

            yield passes

    async def _watch(self) -> None:
        async with self._probing() as passes, asyncio.TaskGroup() as watching:
            watching.create_task(self._watch_readiness(passes))
            for watch in self._liveness_watches(passes):
                watching.create_task(watch.run())

    def _liveness_watches(self, passes: Passes) -> list[LivenessWatch]:
        return [
            LivenessWatch(
                process=self._processes[container.name],
                startup=container.startup,
                liveness=container.liveness,
                passes=passes,
                grace_seconds=self._workload.grace_seconds,
                on_failure=partial(self._failed, self._processes[container.name]),
            )
            for container in self._workload.containers
            if container.liveness is not None
        ]

    def _failed(self, process: ContainerProcess, probe: Probe) -> None:
        self._tell("unhealthy", process=process.name, probe=probe.path)

    async def _watch_readiness(self, passes: Passes) -> None:
        probes = [c.readiness for c in self._workload.containers if c.readiness is not None]
        while True:
            if all([await passes(probe) for probe in probes]):
                if self.phase == "starting":
                    self.phase = "ready"
                    self._tell("ready")
                await asyncio.sleep(_READY_PROBE_SECONDS)
            else:
                if self.phase == "ready":
                    self.phase = "starting"
                    self._tell("unready")
                await asyncio.sleep(_STARTING_PROBE_SECONDS)


async def _passes(probe: Probe, port: int, session: aiohttp.ClientSession) -> bool:
    if probe.path is None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    async with session.get(f"http://127.0.0.1:{port}{probe.path}") as answer:
        return answer.status < 400  # noqa: PLR2004 - as the kubelet counts
