"""What becomes of the message of a request that has ended."""

from collections.abc import Iterator

import pytest

from penstock.adapters.in_memory import CrashError, FakeClock, FaultPoints
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import RequestId, RequestState, RetryPolicy
from penstock.protocol.announcing import Announcing
from penstock.protocol.steps import Run, Step
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.persistence import CallersPlaces
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.tickets import Ticket
from runtime_image.dispatcher.settling import Settling
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World
from tests.unit.protocol.requests import ERROR_TOPIC, a_row

RAISED = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="the model raised")
REJECTED = Fault(code=FaultCode.MODEL_INVALID_INPUT, message="not an image")
EMPTY = QueueDepth(queued=0, in_progress=0)


@pytest.fixture
def faults() -> FaultPoints:
    return FaultPoints()


@pytest.fixture
def settling(world: World, faults: FaultPoints) -> Iterator[Settling]:
    threads = Threads("settling", 2)
    yield Settling(
        queue=world.queue,
        dead_letters=faults.around("dead_letters", world.dead_letters),
        requests=faults.around("requests", world.requests),
        announcing=Announcing(
            results=faults.around("results", world.results),
            notifier=faults.around("notifier", world.notifier),
        ),
        threads=threads,
        callers_places=CallersPlaces(Gate(1, hold_budget_seconds=1), threads),
        in_hand=lambda: 1,
    )
    threads.close()


def fail_for_good(world: World, fault: Fault) -> tuple[RequestId, Delivery, Step]:
    """Return a request whose only attempt has just failed."""
    request_id = world.submit(retry=RetryPolicy(max_attempts=1), priority=1)
    delivery = world.receive(priority=1)
    run = world.protocol().claim(delivery)
    assert isinstance(run, Run)
    return request_id, delivery, world.protocol().fail(run.request, fault)


async def test_what_used_up_its_attempts_is_announced_and_buried(
    world: World, settling: Settling
) -> None:
    request_id, delivery, step = fail_for_good(world, RAISED)
    await settling.settle(delivery, step, Ticket(1))

    (letter,) = world.dead_letters.look(10, 30)
    assert (letter.request_id, letter.priority) == (request_id, 1)
    assert letter.reason == "MODEL_PREDICT_ERROR: the model raised"
    assert letter.body == delivery.message.encoded()
    assert [told.request_id for told in world.notifier.published] == [request_id]
    assert world.queue.depth() == EMPTY


async def test_rejected_input_is_not_buried(world: World, settling: Settling) -> None:
    request_id, delivery, step = fail_for_good(world, REJECTED)
    await settling.settle(delivery, step, Ticket(1))
    assert world.row(request_id).state is RequestState.FAILED
    assert world.dead_letters.count() == 0
    assert world.queue.depth() == EMPTY


async def test_a_worker_that_died_in_the_last_attempt_leaves_a_letter(
    world: World, clock: FakeClock, settling: Settling
) -> None:
    world.submit(retry=RetryPolicy(max_attempts=1))
    world.protocol().claim(world.receive())
    clock.advance(LEASE_SECONDS + 60 + 1)

    delivery = world.receive()
    await settling.settle(delivery, world.protocol("w2").claim(delivery), Ticket(1))
    (letter,) = world.dead_letters.look(10, 30)
    assert "worker died" in letter.reason
    assert world.queue.depth() == EMPTY


@pytest.mark.parametrize(
    "moment",
    [
        "before requests.mark_notified",
        "after requests.mark_notified",
        "before dead_letters.bury",
        "after dead_letters.bury",
    ],
)
async def test_whoever_meets_the_message_after_a_crash_buries_it(
    world: World, clock: FakeClock, settling: Settling, faults: FaultPoints, moment: str
) -> None:
    request_id, delivery, step = fail_for_good(world, RAISED)
    when, call = moment.split()
    (faults.crash_before if when == "before" else faults.crash_after)(call)
    with pytest.raises(CrashError):
        await settling.settle(delivery, step, Ticket(1))
    clock.advance(LEASE_SECONDS + 1)

    again = world.receive(priority=1)
    await settling.settle(again, world.protocol("w2").claim(again), Ticket(1))

    assert not faults.pending
    assert {letter.request_id for letter in world.dead_letters.look(10, 30)} == {request_id}
    assert {told.event_id for told in world.notifier.published} == {f"{request_id}.1.failed"}
    assert world.row(request_id).notified_at is not None
    assert world.queue.depth() == EMPTY


def cancel_promised(world: World) -> tuple[RequestId, Delivery, Step]:
    """Return a request, cancelled in the queue, whose caller waits at a place."""
    row = a_row(world.clock())
    world.requests.accept(row)
    world.queue.send(QueueMessage(request_id=row.request_id, text="1"), priority=0, tenant="acme")
    world.requests.cancel(row.request_id)
    delivery = world.receive()
    return row.request_id, delivery, world.protocol().claim(delivery)


async def test_a_cancelled_request_ends_at_its_place_before_its_message_goes(
    world: World, settling: Settling
) -> None:
    request_id, delivery, step = cancel_promised(world)
    await settling.settle(delivery, step, Ticket(1))
    assert [topic for topic, _ in world.notifier.sent] == [ERROR_TOPIC]
    assert world.notifier.published == []
    assert world.row(request_id).notified_at is not None
    assert world.queue.depth() == EMPTY


@pytest.mark.parametrize(
    "moment",
    [
        f"{when} {call}"
        for when in ("before", "after")
        for call in ("results.put_failure", "notifier.publish_to", "requests.mark_notified")
    ],
)
async def test_promises_cut_off_are_kept_by_whoever_meets_the_message(
    world: World, clock: FakeClock, settling: Settling, faults: FaultPoints, moment: str
) -> None:
    request_id, delivery, step = cancel_promised(world)
    when, call = moment.split()
    (faults.crash_before if when == "before" else faults.crash_after)(call)
    with pytest.raises(CrashError):
        await settling.settle(delivery, step, Ticket(1))
    clock.advance(LEASE_SECONDS + 1)

    again = world.receive()
    await settling.settle(again, world.protocol("w2").claim(again), Ticket(1))
    assert not faults.pending
    assert len(set(world.notifier.sent)) == 1
    assert world.row(request_id).notified_at is not None
    assert world.queue.depth() == EMPTY


async def test_a_throttled_topic_of_a_caller_is_told_in_the_end(
    world: World, settling: Settling, faults: FaultPoints
) -> None:
    _, delivery, step = cancel_promised(world)
    faults.fail("notifier.publish_to", UnavailableError("publish", "throttled"), times=2)
    await settling.settle(delivery, step, Ticket(1))
    assert len(world.notifier.sent) == 1


async def test_the_message_stays_until_its_copy_lies_in_the_dead_letter_queue(
    world: World, settling: Settling, faults: FaultPoints
) -> None:
    _, delivery, step = fail_for_good(world, RAISED)
    faults.fail("dead_letters.bury", UnavailableError("bury", "throttled"), times=2)
    await settling.settle(delivery, step, Ticket(1))
    assert world.dead_letters.count() == 1
    assert world.queue.depth() == EMPTY
