"""However a request of SageMaker ends, one object lies at one of its two places."""

import json
from collections.abc import Callable

import pytest

from penstock.adapters.in_memory import FakeClock, FaultPoints
from penstock.contracts.errors import InputUnreadableError, ObjectGoneError, UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Dialect, InputLocation, Location
from penstock.contracts.outcome import Fault, FaultCode, StoredObject
from penstock.contracts.request import AsyncRequest, RequestState, RetryPolicy
from penstock.protocol.announcing import Announcing
from penstock.protocol.endings import Endings
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.steps import Announce, Run, Step
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World
from tests.unit.protocol.requests import a_row

CRASH = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")
SLOW = Fault(code=FaultCode.MODEL_PREDICT_TIMEOUT, message="Prediction ran longer than 900 s.")
GONE = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="the worker died")
INPUT = InputLocation(bucket="inputs", key="nothing-lies-here")


@pytest.fixture
def row(world: World) -> AsyncRequest:
    """Return a request that waits for its input to be read."""
    row = a_row(world.clock())
    world.requests.accept(row)
    message = QueueMessage.reading(row.request_id, INPUT)
    world.queue.send(message, priority=0, tenant="acme")
    return row


def _claimed(world: World) -> AsyncRequest:
    step = world.protocol().claim(world.receive())
    assert isinstance(step, Run)
    return step.request


def _ended(step: Step) -> AsyncRequest:
    assert isinstance(step, Announce)
    return step.request


def _model_failed(world: World, _: AsyncRequest) -> AsyncRequest:
    answer = ModelAnswer(b"<h1>boom</h1>", "text/html", 500)
    return _ended(world.protocol().fail(_claimed(world), CRASH, answer))


def _timed_out(world: World, _: AsyncRequest) -> AsyncRequest:
    return _ended(world.protocol().fail(_claimed(world), SLOW))


def _not_downloaded(world: World, _: AsyncRequest) -> AsyncRequest:
    delivery = world.receive()
    step = world.protocol().claim(delivery)
    assert isinstance(step, Run)
    with pytest.raises(InputUnreadableError) as unreadable:
        world.protocol().load(delivery)
    fault = Fault(code=FaultCode.MODEL_INVALID_INPUT, message=str(unreadable.value))
    return _ended(world.protocol().fail(step.request, fault))


def _expired(world: World, row: AsyncRequest) -> AsyncRequest:
    _advance(world, (row.deadline_at - row.created_at).total_seconds() + 1)
    return _ended(world.protocol().claim(world.receive()))


def _expired_unseen(world: World, row: AsyncRequest) -> AsyncRequest:
    _advance(world, (row.deadline_at - row.created_at).total_seconds() + 1)
    ended = Endings(requests=world.requests, results=world.results).expire(row)
    assert ended is not None
    return ended


def _lost_with_its_worker(world: World, _: AsyncRequest) -> AsyncRequest:
    for _attempt in range(3):
        held = _claimed(world)
        _advance(world, LEASE_SECONDS + 1)
    _advance(world, 60)
    ended = Endings(requests=world.requests, results=world.results).give_up(held, GONE)
    assert ended is not None
    return ended


def _cancelled(world: World, row: AsyncRequest) -> AsyncRequest:
    return world.requests.cancel(row.request_id, force=False)


def _advance(world: World, seconds: float) -> None:
    assert isinstance(world.clock, FakeClock)
    world.clock.advance(seconds)


@pytest.mark.spec("sagemaker", 7)
@pytest.mark.parametrize(
    "end",
    [
        _model_failed,
        _timed_out,
        _not_downloaded,
        _expired,
        _expired_unseen,
        _lost_with_its_worker,
        _cancelled,
    ],
)
def test_a_failure_is_one_json_object_under_the_failure_path(
    world: World, row: AsyncRequest, end: Callable[[World, AsyncRequest], AsyncRequest]
) -> None:
    ended = end(world, row)
    Announcing(results=world.results, notifier=world.notifier).prepare(ended)

    assert ended.destination is not None
    document = json.loads(_lying_at(world, ended.destination.failure) or b"")
    assert document["message"]
    assert _lying_at(world, ended.destination.result) is None


@pytest.mark.spec("sagemaker", 7)
def test_a_result_has_no_failure_beside_it(world: World, row: AsyncRequest) -> None:
    ended = _ended(world.protocol().succeed(_claimed(world), b"42", "text/csv"))
    Announcing(results=world.results, notifier=world.notifier).prepare(ended)

    assert row.destination is not None
    assert _lying_at(world, row.destination.result) == b"42"
    assert _lying_at(world, row.destination.failure) is None


def _lying_at(world: World, place: Location) -> bytes | None:
    try:
        return world.results.read(StoredObject(bucket=place.bucket, key=place.key, size_bytes=0))
    except ObjectGoneError:
        return None


@pytest.mark.parametrize("dialect", [Dialect.BASETEN, Dialect.SAGEMAKER])
def test_a_look_that_failed_gives_no_stored_result_up(
    world: World, clock: FakeClock, dialect: Dialect
) -> None:
    row = a_row(clock(), dialect, retry=RetryPolicy(max_attempts=1), attempts_left=1)
    world.requests.accept(row)
    held = world.requests.claim(row.request_id, "w1", LEASE_SECONDS)
    place = row.destination.result if row.destination else None
    world.results.put_result(row.request_id, b"42", "text/plain", place=place)
    clock.advance(LEASE_SECONDS + 61)
    faults = FaultPoints()
    faults.fail("results.find_result", UnavailableError("look for result", "read timeout"))
    endings = Endings(requests=world.requests, results=faults.around("results", world.results))

    with pytest.raises(UnavailableError):
        endings.give_up(held, GONE)
    assert world.row(row.request_id) == held
    ended = endings.give_up(held, GONE)
    assert ended is not None
    assert ended.state is RequestState.SUCCEEDED
