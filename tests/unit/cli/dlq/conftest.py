"""The commands about dead letters, wired to a stack in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from penstock.cli.dlq.ports import DeadLetterPorts
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Destination
from penstock.contracts.outcome import Failed, Fault, FaultCode
from penstock.contracts.request import AsyncRequest
from tests.unit.cli.conftest import CommandLine, FakeConnections
from tests.unit.client.api import ScriptedApi
from tests.unit.functions.world import World

FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")


@dataclass
class StackInMemory(FakeConnections):
    """What the commands find in the stack they are pointed at."""

    api: ScriptedApi = field(default_factory=lambda: ScriptedApi([]))
    world: World = field(default_factory=World)
    paused_seconds: float = 0

    @contextmanager
    def dead_letters(self, stack_name: str | None) -> Iterator[DeadLetterPorts]:
        world = self.world
        yield DeadLetterPorts(
            catalog=world.catalog,
            requests=world.faults.around("requests", world.requests),
            payloads=world.payloads,
            results=world.faults.around("results", world.results),
            queue_of=world.queue_of,
            letters_of=world.dead_letters_of,
            pause=self.pause,
        )

    def pause(self, seconds: float) -> None:
        self.paused_seconds += seconds
        self.world.clock.advance(seconds)

    def poison(self, destination: Destination | None = None) -> AsyncRequest:
        """Return a request that used up its attempts and left a letter."""
        world = self.world
        row = world.running(destination=destination)
        message = QueueMessage.inline(row.request_id, b'{"image": "x"}', "application/json")
        assert message is not None
        world.queues["ocr-1"].send(message, priority=1, tenant="acme")
        (delivery,) = world.queues["ocr-1"].receive(
            priority=1, max_messages=1, wait_seconds=0, visible_after_seconds=30
        )
        place = destination.failure if destination else None
        failure = world.results.put_failure(row.request_id, b"{}", place=place, attempt=row.attempt)
        ended = world.requests.finish(row, Failed(fault=FAULT, failure=failure))
        world.requests.mark_notified(ended)
        world.dead_letters["ocr-1"].bury(delivery, "MODEL_PREDICT_ERROR: boom")
        world.queues["ocr-1"].delete([delivery])
        return ended

    def letters(self) -> int:
        return self.world.dead_letters["ocr-1"].count()


@pytest.fixture
def stack() -> StackInMemory:
    return StackInMemory()


@pytest.fixture
def penstock(stack: StackInMemory) -> CommandLine:
    return CommandLine(stack)
