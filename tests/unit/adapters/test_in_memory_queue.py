"""Receipts of the in-memory queue, which moto does not tell apart as SQS does."""

import pytest

from penstock.adapters.in_memory import FakeClock, InMemoryRequestQueue
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import RequestId


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> InMemoryRequestQueue:
    queue = InMemoryRequestQueue(clock)
    message = QueueMessage(request_id=RequestId("0" * 32), text="{}")
    queue.send(message, priority=0, tenant="acme")
    return queue


def receive(queue: InMemoryRequestQueue) -> Delivery:
    (delivery,) = queue.receive(
        priority=0, max_messages=1, wait_seconds=20, visible_after_seconds=30
    )
    return delivery


def test_a_receipt_is_good_until_the_message_is_visible_again(
    queue: InMemoryRequestQueue, clock: FakeClock
) -> None:
    delivery = receive(queue)
    clock.advance(30)
    assert queue.hide([delivery], 30) == [delivery]
    assert queue.depth() == QueueDepth(queued=1, in_progress=0)


def test_a_receipt_of_an_earlier_receive_moves_and_deletes_nothing(
    queue: InMemoryRequestQueue, clock: FakeClock
) -> None:
    stale = receive(queue)
    clock.advance(30)
    current = receive(queue)

    assert queue.hide([stale, current], 60) == [stale]
    queue.delete([stale])
    assert queue.depth() == QueueDepth(queued=0, in_progress=1)
    queue.delete([current])
    assert queue.depth() == QueueDepth(queued=0, in_progress=0)
