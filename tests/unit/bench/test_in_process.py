"""The backend in memory does a whole request, as the floor's loop does it."""

import threading

from bench.backends.in_process import InProcess, WaitingQueue
from bench.backends.requests import TENANT, waiting_requests
from bench.processes.bare_loop import BarePortLoop
from penstock.contracts.request import RequestState


def received(queue: WaitingQueue, wait_seconds: int = 0, priority: int = 0) -> list[str]:
    deliveries = queue.receive(
        priority=priority, max_messages=10, wait_seconds=wait_seconds, visible_after_seconds=30
    )
    return [delivery.message.request_id for delivery in deliveries]


def test_a_receive_waits_for_a_message() -> None:
    queue, (request,) = WaitingQueue(), waiting_requests(1, priority=0)
    sender = threading.Thread(
        target=queue.send, args=(request.message,), kwargs={"priority": 0, "tenant": TENANT}
    )
    found: list[list[str]] = []
    receiver = threading.Thread(target=lambda: found.append(received(queue, wait_seconds=20)))
    receiver.start()
    sender.start()
    for thread in (sender, receiver):
        thread.join(timeout=10)
    assert found == [[request.row.request_id]]


def test_a_message_given_back_comes_again_and_a_deleted_one_does_not() -> None:
    world = InProcess()
    world.feed(waiting_requests(1, priority=1))
    first, second = (
        world.queue.receive(priority=1, max_messages=10, wait_seconds=0, visible_after_seconds=30)
        for _ in range(2)
    )
    assert len(first) == 1
    assert not second
    world.queue.hide(first, 0)
    (again,) = world.queue.receive(
        priority=1, max_messages=10, wait_seconds=0, visible_after_seconds=30
    )
    assert again.receive_count == 2
    world.queue.delete([again])
    world.queue.hide([again], 0)
    assert received(world.queue, priority=1) == []


def test_what_forgets_keeps_nothing_of_a_request_that_was_announced() -> None:
    world = InProcess(forgets=True)
    (request,) = waiting_requests(1)
    world.feed([request])
    world.requests.mark_notified(request.row)
    assert world.requests.find(request.row.request_id) is None


def test_the_floor_ends_every_request() -> None:
    loop = BarePortLoop(25)
    ended = 0
    while done := loop.turn():
        ended += done
    assert ended == 25
    rows = loop.world.requests.list_page(TENANT, "model-0-v1", limit=50).requests
    assert [row.state for row in rows] == [RequestState.SUCCEEDED] * 25
