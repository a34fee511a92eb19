"""Real dispatchers on a real clock over in-memory ports, and how one is killed."""

import asyncio
import random
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from penstock.adapters.in_memory import (
    CrashError,
    InMemoryDeadLetterQueue,
    InMemoryNotifier,
    InMemoryPayloadStore,
    InMemoryRequestQueue,
    InMemoryRequestStore,
    InMemoryResultStore,
)
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import Ports, wire
from tests.faults.world import environment

_Port = TypeVar("_Port")

_OWNER: ContextVar["Victim | None"] = ContextVar("_OWNER", default=None)
"""The dispatcher whose task runs; tasks inherit it from the one that made them."""


@dataclass(eq=False)
class Victim:
    """One dispatcher, with all tasks it ever started."""

    is_alive: bool = True
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def around(self, port: _Port) -> _Port:
        """Return `port` as this dispatcher sees it: out of reach once it is dead."""
        return cast("_Port", _MortalPort(self, port))

    def kill(self) -> None:
        """End at once, without a drain: no task goes on, no thread reaches a port any more."""
        self.is_alive = False
        for task in list(self.tasks):
            task.cancel()


class _MortalPort:
    def __init__(self, owner: Victim, port: object) -> None:
        self._owner = owner
        self._port = port

    def __getattr__(self, method: str) -> Any:
        attribute = getattr(self._port, method)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> object:
            if not self._owner.is_alive:
                raise CrashError(method)
            return attribute(*args, **kwargs)

        return call


def watch_tasks() -> None:
    """Let every task of this event loop be known to its dispatcher."""

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **kwargs)
        if (owner := _OWNER.get()) is not None:
            owner.tasks.add(task)
            task.add_done_callback(owner.tasks.discard)
        return task

    asyncio.get_running_loop().set_task_factory(factory)


class UnreliableModel:
    """A model server that fails one call in five."""

    async def is_ready(self) -> bool:
        return True

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311 - no secret
        if random.random() < 0.2:  # noqa: S311 - no secret
            raise ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom")
        return Answer(payload.content, payload.content_type)


@dataclass
class World:
    """The ports that outlive every dispatcher."""

    requests: InMemoryRequestStore = field(default_factory=lambda: InMemoryRequestStore(utc_now))
    queue: InMemoryRequestQueue = field(default_factory=lambda: InMemoryRequestQueue(utc_now))
    dead_letters: InMemoryDeadLetterQueue = field(
        default_factory=lambda: InMemoryDeadLetterQueue(utc_now)
    )
    payloads: InMemoryPayloadStore = field(default_factory=InMemoryPayloadStore)
    results: InMemoryResultStore = field(default_factory=InMemoryResultStore)
    notifier: InMemoryNotifier = field(default_factory=InMemoryNotifier)

    def start(self) -> Victim:
        """Start a dispatcher."""
        victim = Victim()
        token = _OWNER.set(victim)
        try:
            ports = Ports(
                requests=victim.around(self.requests),
                queue=victim.around(self.queue),
                dead_letters=victim.around(self.dead_letters),
                payloads=victim.around(self.payloads),
                results=victim.around(self.results),
                notifier=victim.around(self.notifier),
            )
            settings = environment(concurrency_target=4)
            drain = Drain(settings.drain_seconds)
            metrics = Metrics("ocr", "ocr-1")
            process = wire(settings, ports, UnreliableModel(), drain, metrics)
            asyncio.get_running_loop().create_task(process.run())
        finally:
            _OWNER.reset(token)
        return victim
