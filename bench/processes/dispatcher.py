"""The real dispatcher, wired as in its pod, until so many requests have ended."""

import asyncio
import threading
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import psutil
from pydantic import BaseModel

from bench.backends.in_process import InProcess
from bench.backends.requests import waiting_requests
from bench.processes.starting import report, settings_text
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId, RequestState
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.http_server import model_server_of
from runtime_image.dispatcher.model_server.server import Answer, ModelServer
from runtime_image.dispatcher.observability.logs import log_as_json
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import aws_ports, wire

_FEED_SECONDS = 0.01
_MEBIBYTE = 1024**2


class DispatcherSettings(BaseModel):
    """What a measured dispatcher works on."""

    requests: int
    warm_up: int = 0
    """So many of them end before measuring begins."""

    in_process: int = 0
    """So many requests wait in memory; 0: the environment says where they wait in AWS."""

    has_model_server: bool = True
    """Whether the model is called over HTTP; else it is a function of this process."""

    forgets: bool = False
    """Whether the backend in memory keeps nothing of requests that ended."""

    rests_seconds: float = 0
    """How long it has nothing to do, when there are no requests."""


class NoModel:
    """`ModelServer` that answers at once, without HTTP."""

    async def is_ready(self) -> bool:
        """Answer at once."""
        return True

    async def predict(
        self,
        request_id: RequestId,  # noqa: ARG002 - there is no model
        payload: Loaded,  # noqa: ARG002
        call: ContainerCall | None,  # noqa: ARG002
        timeout_seconds: float,  # noqa: ARG002
    ) -> Answer:
        """Answer at once."""
        return Answer(b'{"ok": true}', "application/json")


@dataclass(frozen=True)
class _Moment:
    """What was used up to now."""

    seconds: float = field(default_factory=time.monotonic)
    cpu_seconds: float = field(default_factory=time.process_time)
    threads: int = field(default_factory=threading.active_count)
    rss_mib: float = field(default_factory=lambda: psutil.Process().memory_info().rss / _MEBIBYTE)


class CountingMetrics(Metrics):
    """The dispatcher's metrics, which end the run when enough requests have ended."""

    def __init__(self, settings: DispatcherSettings, drain: Drain) -> None:
        super().__init__("model-0", "model-0-v1")
        self._settings = settings
        self._drain = drain
        self._counted = 0
        self._failed = 0
        self._began = _Moment()
        self._finished: _Moment | None = None

    def count_ended(self, state: str) -> None:
        """Count as ever; note the moments between which is measured."""
        super().count_ended(state)
        self._counted += 1
        self._failed += state != RequestState.SUCCEEDED
        if self._counted == self._settings.warm_up:
            self._began = _Moment()
        if self._counted == self._settings.requests:
            self.finish()

    def finish(self) -> None:
        """End the run."""
        self._finished = _Moment()
        self._drain.request(0)

    def used(self) -> dict[str, float]:
        """Return what was used between the two moments."""
        if self._finished is None:
            raise AssertionError("the dispatcher ended before its requests did")
        if self._failed:
            raise AssertionError(f"{self._failed} requests did not succeed")
        return {
            "seconds": self._finished.seconds - self._began.seconds,
            "cpu_seconds": self._finished.cpu_seconds - self._began.cpu_seconds,
            "rss_mib": self._finished.rss_mib,
            "grown_mib": self._finished.rss_mib - self._began.rss_mib,
            "threads": self._finished.threads,
        }


async def _run(settings: DispatcherSettings, environment: DispatcherEnvironment) -> None:
    drain = Drain(0)
    metrics = CountingMetrics(settings, drain)
    async with AsyncExitStack() as stack:
        world = InProcess(forgets=settings.forgets) if settings.in_process else None
        ports = world.ports() if world else aws_ports(environment)
        model_server: ModelServer = NoModel()
        if settings.has_model_server:
            over_http = model_server_of(environment, ports.tracing.traceparent)
            model_server = await stack.enter_async_context(over_http)
        process = wire(environment, ports, model_server, drain, metrics)
        async with asyncio.TaskGroup() as tasks:
            if world is not None:
                world.feed(waiting_requests(settings.in_process))
                tasks.create_task(_keep_fed(world, settings, drain))
            if settings.rests_seconds:
                asyncio.get_running_loop().call_later(settings.rests_seconds, metrics.finish)
            await process.run()
    report(metrics.used() | {"requests": settings.requests - settings.warm_up})


async def _keep_fed(world: InProcess, settings: DispatcherSettings, drain: Drain) -> None:
    """Feed what did not wait at the start, a little at a time."""
    left = settings.requests - settings.in_process
    while left > 0 and not drain.requested.is_set():
        more = min(left, max(0, settings.in_process - world.queue.depth().queued))
        world.feed(waiting_requests(more))
        left -= more
        await asyncio.sleep(_FEED_SECONDS)


def main() -> None:
    """Run as the starter says; the environment is that of the real process."""
    log_as_json()
    settings = DispatcherSettings.model_validate_json(settings_text())
    asyncio.run(_run(settings, DispatcherEnvironment.read()))


if __name__ == "__main__":
    main()
