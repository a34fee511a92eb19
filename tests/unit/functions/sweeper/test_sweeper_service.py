"""Finishing what nobody else will finish."""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain, repeat

import pytest

from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import one_after_another
from penstock.adapters.in_memory import CrashError, FakeClock, InMemoryCatalog
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Dialect, Location, SageMakerInvocation
from penstock.contracts.outcome import Failed, Fault, FaultCode, ServerRefusal, StoredObject
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest, RequestId, RequestState
from penstock.contracts.submission import OutputPlace
from tests.unit.functions.world import World

THROTTLED = UnavailableError("write", "throttled")
RAISED = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="the model raised")
QUARTER_OF_AN_HOUR = 15 * 60
ERROR_TOPIC = "arn:aws:sns:eu-central-1:123456789012:broken"
OUTPUT = OutputPlace(
    result_folder=Location(bucket="callers", key="results"),
    failure_folder=Location(bucket="callers", key="failures"),
)


@pytest.fixture
def service(world: World) -> SweeperService:
    return SweeperService(
        catalog=world.catalog,
        requests=world.faults.around("requests", world.requests),
        results=world.faults.around("results", world.results),
        notifier=world.faults.around("notifier", world.notifier),
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=one_after_another,
    )


def sweep(service: SweeperService) -> None:
    service.sweep(lambda: True)


def queue_message(world: World, row: AsyncRequest) -> None:
    message = QueueMessage(request_id=row.request_id, text="1")
    world.queues[row.deployment_id].send(message, priority=row.priority, tenant=row.tenant)


def announced(world: World) -> list[tuple[str, RequestState]]:
    return [(told.request_id, told.state) for told in world.notifier.published]


def exhausted(world: World) -> AsyncRequest:
    """Return a request whose worker died in its last attempt."""
    row = world.running()
    while row.attempts_left:
        world.clock.advance(31)
        row = world.requests.claim(row.request_id, "worker", 30)
    world.clock.advance(31)
    return row


def patient(world: World) -> AsyncRequest:
    """Return a request that may wait for an hour."""
    return world.accepted(deadline_at=world.clock() + timedelta(hours=1))


def test_a_request_that_waited_too_long_expires_and_its_caller_hears(
    service: SweeperService, world: World
) -> None:
    row = world.accepted()
    world.clock.advance(600)
    sweep(service)

    ended = world.row(row.request_id)
    assert ended.state is RequestState.EXPIRED
    assert ended.notified_at == world.clock()
    assert announced(world) == [(row.request_id, RequestState.EXPIRED)]
    assert ended.result
    document = json.loads(world.results.read(ended.result))
    assert document["errors"][0]["message"].startswith("Not started within")


def test_a_request_that_the_model_server_refused_to_the_end_fails_in_its_words(
    service: SweeperService, world: World
) -> None:
    refusal = ServerRefusal.of(503, "text/plain", b"engine dead")
    row = world.requests.release(world.running(), None, counts_as_attempt=False, refusal=refusal)
    world.clock.advance((row.deadline_at - world.clock()).total_seconds())
    sweep(service)

    ended = world.row(row.request_id)
    assert (ended.state, ended.faults) == (RequestState.FAILED, (refusal.fault,))
    assert announced(world) == [(row.request_id, RequestState.FAILED)]
    assert ended.result
    assert b"503: engine dead" in world.results.read(ended.result)


def test_nothing_happens_before_it_is_due(service: SweeperService, world: World) -> None:
    waiting, held = world.accepted(), world.running()
    world.clock.advance(29)
    sweep(service)
    assert world.row(waiting.request_id) == waiting
    assert world.row(held.request_id) == held
    assert not world.notifier.published


def test_a_request_whose_worker_died_in_the_last_attempt_fails(
    service: SweeperService, world: World
) -> None:
    row = exhausted(world)
    world.clock.advance(60)
    sweep(service)
    assert world.row(row.request_id) == row  # its clock may be behind the sweeper's
    world.clock.advance(60)
    sweep(service)

    ended = world.row(row.request_id)
    assert ended.state is RequestState.FAILED
    assert ended.faults[0].code is FaultCode.MODEL_UNAVAILABLE
    assert "worker died in attempt 3" in ended.faults[0].message
    assert announced(world) == [(row.request_id, RequestState.FAILED)]


def test_a_worker_half_a_minute_behind_keeps_its_last_attempt(
    service: SweeperService, world: World
) -> None:
    row = exhausted(world)
    behind = FakeClock(world.clock() - timedelta(seconds=31))
    store = world.requests.seen_with(behind)
    for _ in range(30):
        row = store.renew(row, 30)
        for clock in (world.clock, behind):
            clock.advance(10)
        sweep(service)
    assert world.row(row.request_id) == row


def test_an_end_that_nobody_announced_is_announced(service: SweeperService, world: World) -> None:
    row = world.succeeded(b"{}")
    world.clock.advance(60)
    sweep(service)
    sweep(service)
    assert announced(world) == [(row.request_id, RequestState.SUCCEEDED)]
    assert world.row(row.request_id).notified_at == world.clock()


@pytest.mark.parametrize("is_held", [True, False], ids=["lapsed", "waiting"])
def test_a_request_whose_message_is_lost_fails_after_a_quarter_of_an_hour(
    service: SweeperService, world: World, *, is_held: bool
) -> None:
    row = world.running()
    if not is_held:
        row = world.requests.release(row, RAISED, counts_as_attempt=True)
    for _ in range(15):
        sweep(service)
        assert world.row(row.request_id) == row
        world.clock.advance(60)
    world.clock.advance(300)
    sweep(service)

    ended = world.row(row.request_id)
    assert ended.state is RequestState.FAILED
    assert ended.faults[0].code is FaultCode.INTERNAL_SERVER_ERROR
    assert "lost" in ended.faults[0].message
    assert announced(world) == [(row.request_id, RequestState.FAILED)]


def test_a_request_waits_for_workers_while_its_deployment_has_messages(
    service: SweeperService, world: World
) -> None:
    row = world.requests.release(world.running(), RAISED, counts_as_attempt=True)
    queue_message(world, row)
    for _ in range(300):
        world.clock.advance(60)
        sweep(service)
    assert world.row(row.request_id) == row
    assert world.counted["SweepStepsFailed"] == 0


def test_a_request_of_a_removed_deployment_fails(service: SweeperService, world: World) -> None:
    row = world.requests.release(world.running(), RAISED, counts_as_attempt=True)
    world.catalog = InMemoryCatalog([])
    removed = SweeperService(
        catalog=world.catalog,
        requests=world.requests,
        results=world.results,
        notifier=world.notifier,
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=one_after_another,
    )
    world.clock.advance(QUARTER_OF_AN_HOUR)
    sweep(removed)
    assert world.row(row.request_id).faults[0].code is FaultCode.MODEL_DOES_NOT_EXIST


def test_a_renewed_lease_is_respected(service: SweeperService, world: World) -> None:
    row = world.running()
    for _ in range(100):
        world.clock.advance(15)
        row = world.requests.renew(row, 30)
        sweep(service)
    assert world.row(row.request_id) == row


def test_rows_are_announced_in_batches(service: SweeperService, world: World) -> None:
    rows = [world.accepted() for _ in range(120)]
    world.clock.advance(600)
    calls: list[int] = []
    publish = world.notifier.publish

    def counted(notifications: Sequence[object]) -> object:
        calls.append(len(notifications))
        return publish(notifications)  # type: ignore[arg-type]  # it is handed on

    world.notifier.publish = counted  # type: ignore[assignment,method-assign]  # as above
    sweep(service)
    assert calls == [10] * 12
    assert all(world.row(row.request_id).notified_at for row in rows)


@pytest.mark.parametrize(
    "call", ["results.put_failure", "requests.expire", "requests.mark_notified"]
)
def test_a_row_that_fails_stops_no_other_and_is_swept_again(
    service: SweeperService, world: World, call: str
) -> None:
    rows = [world.accepted() for _ in range(10)]
    world.clock.advance(600)
    world.faults.fail(call, THROTTLED, times=3)
    sweep(service)

    ended = [row for row in rows if world.row(row.request_id).notified_at]
    assert len(ended) == 7
    assert world.counted["SweepStepsFailed"] == 3
    world.clock.advance(60)
    sweep(service)
    assert all(world.row(row.request_id).notified_at for row in rows)
    assert not world.faults.pending


def test_ends_that_cannot_be_announced_now_are_announced_later(
    service: SweeperService, world: World
) -> None:
    row = world.accepted()
    world.clock.advance(600)
    world.faults.fail("notifier.publish", THROTTLED)
    sweep(service)
    assert world.row(row.request_id).notified_at is None
    world.clock.advance(60)
    sweep(service)
    assert announced(world) == [(row.request_id, RequestState.EXPIRED)]


def promised(world: World) -> AsyncRequest:
    """Return a waiting request of SageMaker's dialect."""
    request_id = RequestId(uuid.uuid4().hex)
    place = OUTPUT.destination(request_id)
    return world.accepted(
        request_id=request_id,
        dialect=Dialect.SAGEMAKER,
        destination=place,
        invocation=SageMakerInvocation(
            endpoint_name="ocr", inference_id="id-1", error_topic=ERROR_TOPIC
        ),
    )


def document_of(world: World, row: AsyncRequest) -> dict[str, str]:
    """Return the failure document at the promised place."""
    assert row.destination
    place = row.destination.failure
    stored = StoredObject(bucket=place.bucket, key=place.key, size_bytes=0)
    document: dict[str, str] = json.loads(world.results.read(stored))
    return document


def told(world: World) -> list[tuple[str, str]]:
    """Return what the callers' own topics heard."""
    return [
        (topic, json.loads(text)["responseParameters"]["failureLocation"])
        for topic, text in world.notifier.sent
    ]


def test_a_cancelled_request_whose_caller_waits_at_a_place_is_ended_there_once(
    service: SweeperService, world: World
) -> None:
    row = promised(world)
    world.requests.cancel(row.request_id)
    for _ in range(3):
        world.clock.advance(60)
        sweep(service)

    assert document_of(world, row)["message"] == "cancelled by the caller"
    assert row.destination
    assert told(world) == [(ERROR_TOPIC, row.destination.failure.uri)]
    assert announced(world) == []
    assert world.row(row.request_id).notified_at is not None


def test_an_expired_request_ends_at_its_place_and_its_topic_hears(
    service: SweeperService, world: World
) -> None:
    row = promised(world)
    world.clock.advance(600)
    sweep(service)

    assert document_of(world, row)["message"].startswith("Not started within")
    assert row.destination
    assert told(world) == [(ERROR_TOPIC, row.destination.failure.uri)]
    assert announced(world) == [(row.request_id, RequestState.EXPIRED)]
    ended = world.row(row.request_id)
    assert ended.result
    assert (
        world.results.put_failure(row.request_id, b"", place=row.destination.failure)
        == ended.result
    )


@pytest.mark.parametrize(
    "call", ["results.put_failure", "notifier.publish_to", "requests.mark_notified"]
)
def test_promises_that_cannot_be_kept_now_are_kept_by_the_next_sweep(
    service: SweeperService, world: World, call: str
) -> None:
    row = promised(world)
    world.requests.cancel(row.request_id)
    world.clock.advance(60)
    world.faults.fail(call, THROTTLED)
    sweep(service)
    assert world.row(row.request_id).notified_at is None
    world.clock.advance(60)
    sweep(service)
    assert world.row(row.request_id).notified_at == world.clock()
    assert document_of(world, row)
    assert len(set(told(world))) == 1
    assert not world.faults.pending


CALLS = [
    "requests.due",
    "results.put_failure",
    "requests.expire",
    "requests.give_up",
    "notifier.publish",
    "requests.mark_notified",
    "dead_letters.look",
    "requests.find",
    "dead_letters.put_back",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_sweep_that_crashes_anywhere_is_finished_by_the_next(
    service: SweeperService, world: World, call: str, moment: str
) -> None:
    late, dead, lettered = world.accepted(), exhausted(world), patient(world)
    world.dead_letters["ocr-1"].receive_moved(
        QueueMessage(request_id=lettered.request_id, text="1").encoded()
    )
    world.clock.advance(60)
    world.requests.postpone(late.request_id, 0)
    (world.faults.crash_before if moment == "before" else world.faults.crash_after)(call)
    world.clock.advance(QUARTER_OF_AN_HOUR)
    with pytest.raises(CrashError):
        sweep(service)
    world.clock.advance(61)
    sweep(service)

    assert not world.faults.pending
    assert {world.row(row.request_id).state for row in (late, dead, lettered)} <= {
        RequestState.EXPIRED,
        RequestState.FAILED,
    }
    assert {told for told, _ in announced(world)} == {
        row.request_id for row in (late, dead, lettered)
    }
    assert len({told.event_id for told in world.notifier.published}) == 3
    assert not world.requests.due(10)


def test_two_sweeps_at_once_end_each_request_once(service: SweeperService, world: World) -> None:
    rows = [world.accepted() for _ in range(5)]
    world.clock.advance(600)
    seen_by_both = world.requests.due(10)
    sweep(service)
    other = SweeperService(
        catalog=world.catalog,
        requests=_SeesWhatWas(world, seen_by_both),  # type: ignore[arg-type]  # it hands on the rest
        results=world.results,
        notifier=world.notifier,
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=one_after_another,
    )
    before = [world.row(row.request_id) for row in rows]
    sweep(other)
    assert [world.row(row.request_id) for row in rows] == before
    assert len(announced(world)) == 5


class _SeesWhatWas:
    """A store whose index is stale."""

    def __init__(self, world: World, seen: Sequence[AsyncRequest]) -> None:
        self._world = world
        self._seen = seen

    def due(self, _limit: int) -> Sequence[AsyncRequest]:
        return self._seen

    def __getattr__(self, method: str) -> object:
        return getattr(self._world.requests, method)


def test_a_sweep_ends_when_its_time_is_up(service: SweeperService, world: World) -> None:
    rows = [world.accepted() for _ in range(120)]
    world.clock.advance(600)
    time_left: Iterator[bool] = chain([True] * 5, repeat(object=False))
    service.sweep(lambda: next(time_left))
    assert 0 < sum(world.row(row.request_id).state.is_terminal for row in rows) < 50
    sweep(service)
    assert all(world.row(row.request_id).notified_at for row in rows)


def test_what_is_due_must_be_known(service: SweeperService, world: World) -> None:
    world.faults.fail("requests.due", THROTTLED)
    with pytest.raises(UnavailableError):
        sweep(service)


def test_a_dead_letter_ends_its_request_and_stays_for_everybody_to_see(
    service: SweeperService, world: World
) -> None:
    row = patient(world)
    letters = world.dead_letters["ocr-1"]
    letters.receive_moved(QueueMessage(request_id=row.request_id, text="1").encoded())
    letters.receive_moved("not ours")
    world.clock.advance(QUARTER_OF_AN_HOUR)
    sweep(service)

    ended = world.row(row.request_id)
    assert ended.state is RequestState.FAILED
    assert ended.faults[0].message.startswith("Dead-lettered")
    assert announced(world) == [(row.request_id, RequestState.FAILED)]
    assert len(letters.look(10, 60)) == 2


def test_a_letter_of_a_running_or_ended_request_changes_nothing(
    service: SweeperService, world: World
) -> None:
    rows = [world.running(), world.succeeded(b"{}")]
    for row in rows:
        world.dead_letters["ocr-1"].receive_moved(
            QueueMessage(request_id=row.request_id, text="1").encoded()
        )
    sweep(service)
    assert [world.row(row.request_id) for row in rows] == rows


def test_a_redriven_request_is_not_ended_by_the_letter_a_worker_left(
    service: SweeperService, world: World
) -> None:
    row = world.running()
    message = QueueMessage(request_id=row.request_id, text="1")
    world.requests.finish(row, Failed(fault=RAISED))
    world.dead_letters["ocr-1"].bury(Delivery(message, 0, "receipt", world.clock()), "raised")
    reopened = world.requests.reopen(row.request_id)
    queue_message(world, reopened)
    sweep(service)
    assert world.row(row.request_id) == reopened


def test_a_dead_letter_queue_that_fails_stops_no_other(
    service: SweeperService, world: World
) -> None:
    rows = []
    for deployment_id in ("ocr-1", "ocr-2"):
        row = patient(world)
        body = QueueMessage(request_id=row.request_id, text="1").encoded()
        world.dead_letters[deployment_id].receive_moved(body)
        rows.append(row)
    world.clock.advance(QUARTER_OF_AN_HOUR)
    world.faults.fail("dead_letters.look", THROTTLED)
    sweep(service)
    states = [world.row(row.request_id).state for row in rows]
    assert sorted(states) == [RequestState.FAILED, RequestState.QUEUED]
    sweep(service)
    assert all(world.row(row.request_id).state is RequestState.FAILED for row in rows)


def test_more_letters_than_one_page_are_looked_through(
    service: SweeperService, world: World
) -> None:
    rows = [patient(world) for _ in range(230)]
    for row in rows:
        body = QueueMessage(request_id=row.request_id, text="1").encoded()
        world.dead_letters["ocr-2"].receive_moved(body)
    world.clock.advance(QUARTER_OF_AN_HOUR)
    sweep(service)
    assert all(world.row(row.request_id).notified_at for row in rows)
    assert len(world.dead_letters["ocr-2"].look(1_000, 1)) == 230
