"""A batching dispatcher's seam in hand: time, arrivals, and the model server's answers."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from penstock.adapters.contents import in_memory
from penstock.contracts.origin import ContainerCall
from penstock.contracts.ports.objects import Content
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Submission
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.batching import Batching
from runtime_image.dispatcher.model_server.server import Answer
from tests.faults.simulation.loop import VirtualLoop

LIMIT_SECONDS = 60.0
WAIT_SECONDS = 0.01


@dataclass(eq=False)
class Call:
    """What the model server was asked, until the test answers it."""

    ids: list[str]
    body: bytes
    call: ContainerCall | None
    answer: asyncio.Future[Answer]

    @property
    def inputs(self) -> list[object]:
        """What it is to work on."""
        value = json.loads(self.body)
        return value if len(self.ids) > 1 else [value]


@dataclass(eq=False)
class Caller:
    """A request and what its caller hears."""

    request: AsyncRequest
    heard: asyncio.Task[Answer]

    @property
    def body(self) -> bytes:
        """The answer."""
        return in_memory(self.heard.result().body)

    @property
    def error(self) -> BaseException | None:
        """Why there is none."""
        return self.heard.exception()


@dataclass
class World:
    """Runs a `Batching` on a clock that only the test turns."""

    size: int = 4
    flights: int = 1
    seconds: float = 0.0
    calls: list[Call] = field(default_factory=list)
    closed: list[Call] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop(lambda: self.seconds)  # type: ignore[abstract]  # runs what we use
        self.batching = Batching(
            self,
            size=self.size,
            wait_seconds=WAIT_SECONDS,
            flights=self.flights,
            observe_size=self.sizes.append,
        )

    async def is_ready(self) -> bool:
        return True

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        asked = Call(
            request_id.split(","), in_memory(payload.content), call, self.loop.create_future()
        )
        self.calls.append(asked)
        try:
            return await asked.answer
        except asyncio.CancelledError:
            self.closed.append(asked)
            raise
        finally:
            self.calls.remove(asked)

    def ask(
        self,
        model_input: object,
        *,
        priority: int = 0,
        attempt: int = 1,
        limit: float = LIMIT_SECONDS,
        call: ContainerCall | None = None,
    ) -> Caller:
        """Let a request have its slot."""
        content = json.dumps(model_input).encode()
        payload = Loaded(content, "application/json", len(content))
        return self.ask_raw(payload, claimed(priority, attempt), limit, call)

    def ask_raw(
        self,
        payload: Loaded,
        request: AsyncRequest | None = None,
        limit: float = LIMIT_SECONDS,
        call: ContainerCall | None = None,
    ) -> Caller:
        """Let a request have its slot, with any payload."""
        request = request or claimed()
        heard = self.loop.create_task(self.batching.predict(request, payload, call, limit))
        self.loop.run_ready()
        return Caller(request, heard)

    def leave(self, caller: Caller) -> None:
        """Take a caller away."""
        caller.heard.cancel()
        self.loop.run_ready()

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        until = self.seconds + seconds
        while (at := self.loop.next_timer_at) is not None and at <= until:
            self.seconds = max(self.seconds, at)
            self.loop.run_ready()
        self.seconds = until
        self.loop.run_ready()

    def depart(self) -> Call:
        """Wait until the batch leaves; return the newest call."""
        self.turn(WAIT_SECONDS)
        return self.calls[-1]

    def answer(self, call: Call, body: Content, status: int = 200) -> None:
        """Let the model server answer."""
        call.answer.set_result(Answer(body, "application/json", status))
        self.loop.run_ready()

    def refuse(self, call: Call, error: Exception) -> None:
        """Let the model server fail."""
        call.answer.set_exception(error)
        self.loop.run_ready()

    def echo(self, call: Call, of: Callable[[object], object] = lambda value: value) -> None:
        """Let the model server answer each input with what `of` makes of it."""
        outputs = [of(value) for value in call.inputs]
        self.answer(call, json.dumps(outputs if len(call.ids) > 1 else outputs[0]).encode())


def claimed(priority: int = 0, attempt: int = 1) -> AsyncRequest:
    """Return a request in its so many-th counted attempt."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    submission = Submission(tenant=Tenant("acme"), payload=b"1", priority=priority)
    row = submission.accepted("embeddings", "embeddings-v1", now)
    left = row.attempts_left - attempt
    return row.model_copy(update={"attempt": attempt, "attempts_left": left})
