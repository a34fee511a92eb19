"""Messages that go back to their queue again and again."""

from dataclasses import replace

from penstock.adapters.in_memory import FakeClock, InMemoryRequestQueue
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import RequestId
from penstock.protocol.putting_back import WORN_RECEIVES, put_back

MOST_RECEIVES = 1_000
"""What the queues allow."""


def receive(queue: InMemoryRequestQueue, priority: int = 1) -> list[Delivery]:
    return list(
        queue.receive(priority=priority, max_messages=10, wait_seconds=0, visible_after_seconds=30)
    )


def test_no_number_of_put_backs_makes_a_message_poison() -> None:
    clock = FakeClock()
    queue = InMemoryRequestQueue(clock)
    message = QueueMessage.inline(RequestId("0" * 32), b"{}", "application/json")
    assert message is not None
    queue.send(message, priority=1, tenant="acme")
    most = 0
    for _ in range(3 * MOST_RECEIVES):
        (delivery,) = receive(queue)
        most = max(most, delivery.receive_count)
        put_back(queue, [delivery], 2)
        clock.advance(2)
    assert most <= WORN_RECEIVES < MOST_RECEIVES
    assert receive(queue)[0].message == message


def test_a_replaced_message_keeps_its_lane_group_and_delay_and_others_are_hidden() -> None:
    clock = FakeClock()
    queue = InMemoryRequestQueue(clock)
    for number in (1, 2):
        message = QueueMessage.inline(RequestId(f"{number:032x}"), b"{}", "application/json")
        assert message is not None
        queue.send(message, priority=1, tenant=f"tenant-{number}")
    worn, fresh = receive(queue)
    put_back(queue, [replace(worn, receive_count=WORN_RECEIVES), fresh], 60)

    clock.advance(59)
    assert receive(queue) == []
    assert queue.depth() == QueueDepth(queued=0, in_progress=2)
    clock.advance(1)
    back = {each.tenant: each.receive_count for each in receive(queue)}
    assert back == {"tenant-1": 1, "tenant-2": 2}
