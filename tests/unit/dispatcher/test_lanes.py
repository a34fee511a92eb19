"""Which of the messages that wait in several lanes are fetched."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import pytest

from penstock.adapters.in_memory import InMemoryRequestQueue
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import RequestId
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.lanes import Lanes
from tests.unit.dispatcher.dispatching import HeldModel, until


class UnevenQueue(InMemoryRequestQueue):
    """Its highest lane answers after the lowest has answered, or fails."""

    def __init__(self) -> None:
        super().__init__(utc_now)
        self.highest_fails: Exception | None = None
        self._lowest_has_answered = Event()

    def receive(self, *, priority: int, **wanted: Any) -> Sequence[Delivery]:
        if priority == 0 and self.highest_fails:
            raise self.highest_fails
        if priority == 0:
            assert self._lowest_has_answered.wait(timeout=10)
        deliveries = super().receive(priority=priority, **wanted)
        if priority == 2:
            self._lowest_has_answered.set()
        return deliveries

    def put(self, priority: int) -> None:
        self.send(message(str(priority)), priority=priority, tenant="acme")


@pytest.fixture
def queue() -> UnevenQueue:
    return UnevenQueue()


class TricklingQueue(InMemoryRequestQueue):
    """Its highest lane has one message for whoever asks, and never two."""

    def __init__(self) -> None:
        super().__init__(utc_now)

    def receive(self, *, priority: int, **wanted: Any) -> Sequence[Delivery]:
        if priority == 0:
            self.send(message("0"), priority=0, tenant="acme")
        return super().receive(priority=priority, **wanted)


class SlowLowestQueue(InMemoryRequestQueue):
    """Its lowest lane has a message, and answers when the test says so."""

    def __init__(self) -> None:
        super().__init__(utc_now)
        self.send(message("2"), priority=2, tenant="acme")
        self.is_asked = False
        self.has_answered = False
        self.may_answer = Event()

    def receive(self, *, priority: int, **wanted: Any) -> Sequence[Delivery]:
        if priority == 2:
            self.is_asked = True
            assert self.may_answer.wait(timeout=10)
        deliveries = super().receive(priority=priority, **wanted)
        self.has_answered = self.has_answered or bool(deliveries)
        return deliveries


def message(name: str) -> QueueMessage:
    return QueueMessage(request_id=RequestId(name), text="1")


@asynccontextmanager
async def polling(
    queue: InMemoryRequestQueue,
    gate: Gate,
    carry: Callable[[Delivery], None],
    model: HeldModel | None = None,
) -> AsyncIterator[Readiness]:
    """Poll for a worker that is idle."""
    readiness = Readiness(model or HeldModel())
    lanes = Lanes(queue, gate, lease_seconds=30, readiness=readiness)
    watching = asyncio.create_task(readiness.watch())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lanes.run(carry))
        yield readiness
        lanes.stop()
        gate.close()
        watching.cancel()
    lanes.close()


@asynccontextmanager
async def busy(queue: UnevenQueue, fetched: list[int]) -> AsyncIterator[asyncio.Event]:
    """Poll for a worker whose one slot is busy until the yielded event is set."""
    gate, is_free = Gate(1, 2), asyncio.Event()
    first = gate.admit(0)
    await gate.to_deck(first)
    await gate.to_slot(first)

    def carry(delivery: Delivery) -> None:
        gate.admit(delivery.priority)
        fetched.append(delivery.priority)

    async def free() -> None:
        await is_free.wait()
        gate.end(first, 600)

    async with polling(queue, gate, carry):
        freeing = asyncio.create_task(free())
        yield is_free
        await freeing


@pytest.mark.spec("baseten", 17)
async def test_the_highest_of_what_came_while_the_slot_was_busy_is_fetched(
    queue: UnevenQueue,
) -> None:
    for priority in (2, 0):
        queue.put(priority)
    fetched: list[int] = []
    async with busy(queue, fetched) as is_free:
        is_free.set()
        await until(lambda: queue.depth().queued == 1 and bool(fetched))
    assert fetched == [0]


@pytest.mark.parametrize(
    "error", [UnavailableError("receive", "throttled"), RuntimeError("nobody foresaw this")]
)
async def test_a_lane_that_cannot_be_read_keeps_no_lower_one_waiting(
    queue: UnevenQueue, error: Exception
) -> None:
    queue.highest_fails = error
    queue.put(2)
    fetched: list[int] = []
    async with busy(queue, fetched) as is_free:
        is_free.set()
        await until(lambda: bool(fetched))
    assert fetched == [2]


async def test_a_trickle_of_high_priority_leaves_free_slots_to_lower_ones() -> None:
    queue, gate, fetched = TricklingQueue(), Gate(100, 2), [0, 0, 0]
    for number in range(25):
        queue.send(message(f"lower-{number}"), priority=1, tenant="acme")

    def carry(delivery: Delivery) -> None:
        gate.end(gate.admit(delivery.priority), 0.01)
        fetched[delivery.priority] += 1

    async with polling(queue, gate, carry):
        await until(lambda: fetched[1] == 25)
    assert fetched[0]


async def test_no_more_of_a_batch_is_kept_than_finds_room(queue: UnevenQueue) -> None:
    gate, fetched, tasks = Gate(5, 2), list[int](), set[asyncio.Task[None]]()
    for priority in (0, 0, 0, 2, 2, 2, 2, 2):
        queue.put(priority)

    async def admit(delivery: Delivery) -> None:
        gate.admit(delivery.priority)
        fetched.append(delivery.priority)

    async with polling(
        queue, gate, lambda delivery: tasks.add(asyncio.create_task(admit(delivery)))
    ):
        await until(lambda: len(fetched) >= 5 and queue.depth().queued == 3)
    assert sorted(fetched) == [0, 0, 0, 2, 2]


@pytest.mark.parametrize("when", ["before the lane answers", "while it waits"])
async def test_what_waits_for_higher_lanes_goes_back_when_the_model_server_is_lost(
    when: str,
) -> None:
    queue, model, fetched = SlowLowestQueue(), HeldModel(), list[Delivery]()
    gate = Gate(1, 2, low_priority_share=0.1)
    gate.end(gate.admit(0), 0.01)
    for priority in (*[0] * 49, 1):
        gate.admit(priority)  # with these at hand the higher lanes are not asked
    async with polling(queue, gate, fetched.append, model) as readiness:
        await until(lambda: queue.is_asked)
        gate.admit(2)  # the share of low priority has its start: now it waits for the others
        if when == "while it waits":
            queue.may_answer.set()
            await until(lambda: queue.has_answered)
        model.ready = False
        readiness.doubt()
        queue.may_answer.set()
        await until(lambda: queue.has_answered and queue.depth().queued == 1)
    assert fetched == []
