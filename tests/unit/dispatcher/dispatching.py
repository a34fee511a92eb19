"""A whole dispatcher over in-memory ports and a model server that tests hold in hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId, RequestState
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.observability.tracing import NO_TRACING, Tracing
from runtime_image.dispatcher.process import Drain, Process
from runtime_image.dispatcher.wiring import Ports, wire
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.environment import environment

Behaviour = Callable[[bytes], Awaitable[bytes]]


async def _echo(payload: bytes) -> bytes:
    return payload


def _bytes_of(payload: Loaded) -> bytes:
    return payload.content if isinstance(payload.content, bytes) else payload.content.read()


@dataclass
class HeldModel:
    """A model server that does what the test says and remembers what it was asked."""

    behaviour: Behaviour = _echo
    ready: bool = True
    asked: list[bytes] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    closed: list[bytes] = field(default_factory=list)
    payloads: list[Loaded] = field(default_factory=list)
    calls: list[ContainerCall | None] = field(default_factory=list)

    async def is_ready(self) -> bool:
        return self.ready

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        content = _bytes_of(payload)
        self.asked.append(content)
        self.payloads.append(payload)
        self.calls.append(call)
        self.limits.append(timeout_seconds)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return Answer(await self.behaviour(content), payload.content_type)
        except asyncio.CancelledError:
            self.closed.append(content)
            raise
        finally:
            self.running -= 1


@dataclass
class Dispatcher:
    """A running process, and how it is stopped."""

    world: World
    model: HeldModel
    drain: Drain
    process: Process
    task: asyncio.Task[None]

    async def stop(self) -> None:
        self.drain.request()
        await asyncio.wait_for(self.task, 10)


@asynccontextmanager
async def dispatching(
    world: World, model: HeldModel, tracing: Tracing = NO_TRACING, **values: float
) -> AsyncIterator[Dispatcher]:
    ports = Ports(
        requests=world.requests,
        queue=world.queue,
        dead_letters=world.dead_letters,
        payloads=world.payloads,
        results=world.results,
        notifier=world.notifier,
        clock=world.clock,
        tracing=tracing,
    )
    settings = environment(**({"lease_seconds": 3} | values))
    drain = Drain(settings.drain_seconds)
    process = wire(settings, ports, model, drain, Metrics("echo", "echo-v1"))
    dispatcher = Dispatcher(world, model, drain, process, asyncio.create_task(process.run()))
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def all_in(world: World, ids: list[RequestId], state: RequestState) -> Callable[[], bool]:
    return lambda: all(world.row(request_id).state is state for request_id in ids)
