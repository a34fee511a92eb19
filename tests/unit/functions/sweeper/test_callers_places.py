"""Places of callers that fail or hang, and what the sweeper makes of everybody's ends then."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import Job, Workforce, one_after_another
from penstock.adapters.in_memory import FakeClock, InMemoryResultStore
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Location
from penstock.contracts.outcome import Fault, FaultCode, StoredObject
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, RetryPolicy, Tenant
from penstock.contracts.submission import OutputPlace, Submission
from tests.unit.functions.world import World

HANGS_SECONDS = 31
MINUTE = 60
LATE = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="waited too long")


class SweeperTimeUpError(BaseException):
    """The platform ends the function here."""


class Places(InMemoryResultStore):
    """Places of callers, of which some hang and some fail at once."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.ends_at = clock()
        self.hanging = {"mallory"}
        self.down: set[str] = set()

    def put_failure(self, *args: Any, place: Location | None = None, **values: Any) -> StoredObject:
        self._meet(place)
        return super().put_failure(*args, place=place, **values)

    def find_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        self._meet(place)
        return super().find_result(request_id, place)

    def _meet(self, place: Location | None) -> None:
        if place is None or place.bucket not in self.hanging | self.down:
            return
        if place.bucket in self.hanging:
            self._clock.advance(HANGS_SECONDS)
            if self._clock() >= self.ends_at:
                raise SweeperTimeUpError
        raise UnavailableError("s3", "read timeout")


def service(
    world: World, results: ResultStore, workforce: Workforce = one_after_another
) -> SweeperService:
    return SweeperService(
        catalog=world.catalog,
        requests=world.requests,
        results=results,
        notifier=world.notifier,
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=workforce,
    )


def sweep_in_time(world: World, results: Places) -> None:
    """Sweep as Lambda does: no job begins after 45 s, and after 55 s all is over."""
    began = world.clock()
    results.ends_at = began + timedelta(seconds=55)
    with suppress(SweeperTimeUpError):
        service(world, results).sweep(lambda: world.clock() < began + timedelta(seconds=45))


def accepted(world: World, tenant: str, *, place: str | None, **values: Any) -> AsyncRequest:
    """Return a request that waits, whose objects are to lie in this bucket."""
    folder = Location(bucket=place, key="r") if place else None
    output = OutputPlace(result_folder=folder, failure_folder=folder) if folder else None
    submission = Submission(tenant=Tenant(tenant), payload=b"1", output=output, **values)
    row = submission.accepted("ocr", "ocr-1", world.clock())
    world.requests.accept(row)
    return row


@pytest.fixture
def results(world: World) -> Places:
    return Places(world.clock)


def test_a_place_that_hangs_delays_nobody_elses_end(world: World, results: Places) -> None:
    others = []
    for _ in range(20):
        accepted(world, "mallory", place="mallory")
        others.append(accepted(world, "acme", place=None))
        others.append(accepted(world, "mallory", place=None))
    world.clock.advance(600)
    sweep_in_time(world, results)
    assert all(world.row(row.request_id).notified_at for row in others)


def test_a_place_that_hangs_delays_no_end_at_the_places_of_others(
    world: World, results: Places
) -> None:
    for _ in range(20):
        accepted(world, "mallory", place="mallory")
    others = [accepted(world, "acme", place="sound") for _ in range(20)]
    world.clock.advance(600)
    sweep_in_time(world, results)
    assert all(world.row(row.request_id).notified_at for row in others)


def test_a_place_that_hangs_delays_no_end_of_a_dead_letter(world: World, results: Places) -> None:
    lettered = [accepted(world, "mallory", place="mallory") for _ in range(5)]
    for row in lettered:
        world.requests.claim(row.request_id, "worker", 30)
    other = accepted(world, "acme", place=None, max_time_in_queue_seconds=3_600)
    for row in (*lettered, other):
        message = QueueMessage(request_id=row.request_id, text="1")
        world.dead_letters["ocr-1"].receive_moved(message.encoded())
    world.clock.advance(16 * MINUTE)
    sweep_in_time(world, results)
    ended = world.row(other.request_id)
    assert ended.state is RequestState.FAILED
    assert ended.notified_at


def test_an_end_that_was_redriven_while_its_row_waited_for_its_turn_is_told_to_nobody(
    world: World, results: Places
) -> None:
    two = [accepted(world, "acme", place="sound") for _ in range(2)]
    first, second = sorted(two, key=lambda row: row.request_id)  # both are due at one moment
    world.clock.advance(600)
    for row in (first, second):
        world.requests.expire(row.request_id, LATE)
    world.clock.advance(MINUTE)

    def redriving(jobs: Iterator[Job]) -> None:
        for job in jobs:
            job()
            if world.row(first.request_id).notified_at and world.row(second.request_id).faults:
                world.requests.reopen(second.request_id)

    service(world, results, redriving).sweep(lambda: True)
    assert world.row(second.request_id).state is RequestState.QUEUED
    assert [told.request_id for told in world.notifier.published] == [first.request_id]


def test_a_letter_ends_a_waiting_request_that_the_next_sweep_announces_at_its_place(
    world: World, results: Places
) -> None:
    row = accepted(world, "acme", place="sound", max_time_in_queue_seconds=3_600)
    message = QueueMessage(request_id=row.request_id, text="1")
    world.dead_letters["ocr-1"].receive_moved(message.encoded())
    world.clock.advance(16 * MINUTE)
    sweep_in_time(world, results)
    ended = world.row(row.request_id)
    assert ended.faults[0].message.startswith("Dead-lettered")
    world.clock.advance(MINUTE)
    sweep_in_time(world, results)
    ended = world.row(row.request_id)
    assert ended.notified_at == world.clock()
    assert ended.result
    assert ended.result.bucket == "sound"


@pytest.mark.parametrize(
    ("minutes_down", "end"), [(50, RequestState.SUCCEEDED), (240, RequestState.FAILED)]
)
def test_a_stored_result_is_given_up_only_if_its_place_stays_unavailable_for_an_hour(
    world: World, results: Places, minutes_down: int, end: RequestState
) -> None:
    row = accepted(world, "acme", place="theirs", retry=RetryPolicy(max_attempts=1))
    assert row.destination
    world.requests.claim(row.request_id, "worker", 30)
    results.put_result(row.request_id, b"42", "text/plain", place=row.destination.result)
    for minute in range(240):
        results.down = {"theirs"} if minute < minutes_down else set()
        world.clock.advance(MINUTE)
        service(world, results).sweep(lambda: True)
    ended = world.row(row.request_id)
    assert ended.state is end
    assert ended.notified_at
