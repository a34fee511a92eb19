"""Which of the messages that wait in several lanes are fetched."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
        self.highest_fails = False
        self._lowest_has_answered = Event()

    def receive(self, *, priority: int, **wanted: Any) -> Sequence[Delivery]:
        if priority == 0 and self.highest_fails:
            raise UnavailableError("receive", "throttled")
        if priority == 0:
            assert self._lowest_has_answered.wait(timeout=10)
        deliveries = super().receive(priority=priority, **wanted)
        if priority == 2:
            self._lowest_has_answered.set()
        return deliveries

    def put(self, priority: int) -> None:
        message = QueueMessage(request_id=RequestId(str(priority)), text="1")
        self.send(message, priority=priority, tenant="acme")


@pytest.fixture
def queue() -> UnevenQueue:
    return UnevenQueue()


@asynccontextmanager
async def busy(queue: UnevenQueue, fetched: list[int]) -> AsyncIterator[asyncio.Event]:
    """Poll for a worker whose one slot is busy until the yielded event is set."""
    gate, readiness, is_free = Gate(1, 2), Readiness(HeldModel()), asyncio.Event()
    first = gate.admit(0)
    await gate.to_deck(first)
    await gate.to_slot(first)

    def carry(delivery: Delivery) -> None:
        gate.admit(delivery.priority)
        fetched.append(delivery.priority)

    async def free() -> None:
        await is_free.wait()
        gate.leave(first, 600)

    lanes = Lanes(queue, gate, lease_seconds=30, readiness=readiness)
    watching = asyncio.create_task(readiness.watch())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lanes.run(carry))
        tasks.create_task(free())
        yield is_free
        lanes.stop()
        gate.close()
        watching.cancel()
    lanes.close()


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


async def test_a_lane_that_cannot_be_read_keeps_no_lower_one_waiting(queue: UnevenQueue) -> None:
    queue.highest_fails = True
    queue.put(2)
    fetched: list[int] = []
    async with busy(queue, fetched) as is_free:
        is_free.set()
        await until(lambda: bool(fetched))
    assert fetched == [2]
