"""One request at a time through an idle dispatcher: how long each stage takes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

from pydantic import BaseModel

from bench.backends.in_process import InProcess
from bench.backends.requests import Waiting, waiting_requests
from bench.processes.starting import report, settings_text
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import Tenant
from runtime_image.dispatcher.model_server.http_server import model_server_of
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.observability.tracing import Tracing
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import Ports, aws_ports, wire

_WARM_UP = 10
_REST_SECONDS = 0.02


class IdleSettings(BaseModel):
    """How often it is done, and over what."""

    requests: int
    in_process: bool


class StageTimes(Tracing):
    """The dispatcher's own spans, kept instead of sent."""

    def __init__(self) -> None:
        self.received_at = 0.0
        self.ended = asyncio.Event()
        self.stages: dict[str, float] = {}

    @contextmanager
    def delivery(self, delivery: Delivery) -> Iterator[None]:  # noqa: ARG002 - one at a time
        """Note when a message came, and that all is done with it."""
        self.received_at = time.monotonic()
        yield
        self.ended.set()

    @contextmanager
    def step(self, name: str, **attributes: str | int) -> Iterator[None]:  # noqa: ARG002 - one at a time
        """Keep how long a step took."""
        started = time.monotonic()
        yield
        self.stages[name] = time.monotonic() - started


def _accept(ports: Ports, request: Waiting) -> None:
    """Do what the intake does."""
    ports.requests.accept(request.row)
    ports.queue.send(request.message, priority=request.priority, tenant=Tenant("bench"))


async def _one(ports: Ports, times: StageTimes, request: Waiting) -> dict[str, float]:
    times.ended.clear()
    times.stages = {}
    started = time.monotonic()
    await asyncio.to_thread(_accept, ports, request)
    accepted = time.monotonic()
    await times.ended.wait()
    ended = time.monotonic()
    await asyncio.sleep(_REST_SECONDS)
    known = {"accept": accepted - started, **times.stages}
    # The message may be received before its sender knows that it was sent.
    known["receive"] = max(0.0, times.received_at - accepted)
    whole = ended - started
    known["in between"] = max(0.0, whole - sum(known.values()))
    return {**known, "whole": whole}


async def _run(settings: IdleSettings, environment: DispatcherEnvironment) -> None:
    times, drain = StageTimes(), Drain(0)
    ports = InProcess().ports() if settings.in_process else aws_ports(environment)
    ports = replace(ports, tracing=times)
    metrics = Metrics(environment.model_id, environment.deployment_id)
    async with model_server_of(environment, times.traceparent) as model_server:
        running = asyncio.create_task(wire(environment, ports, model_server, drain, metrics).run())
        waiting = waiting_requests(settings.requests + _WARM_UP)
        samples = [await _one(ports, times, request) for request in waiting][_WARM_UP:]
        drain.request(0)
        await running
    report({stage: median(each[stage] for each in samples) * 1_000 for stage in samples[0]})


if __name__ == "__main__":
    asyncio.run(
        _run(IdleSettings.model_validate_json(settings_text()), DispatcherEnvironment.read())
    )
