"""A place of one caller that fails harms nobody else, and its own requests end."""

import asyncio
from collections.abc import Awaitable, Iterator
from threading import Event
from typing import Any, NoReturn

import pytest

from penstock.adapters.in_memory import FaultPoints, InMemoryResultStore
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestId, RequestState, RetryPolicy, Tenant
from penstock.contracts.submission import OutputPlace, Submission
from runtime_image.dispatcher import persistence
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.persistence import CallersPlaces, End
from runtime_image.dispatcher.scheduling import gate as gates
from runtime_image.dispatcher.scheduling.gate import Gate
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

BROKEN, SOUND = "mallorys-bucket", "victims-bucket"


class BrokenPlaces(InMemoryResultStore):
    """What is stored in one bucket of a caller's is throttled, or never answered."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = False
        self.refused = 0
        self.own_failures = 0
        self.ended = Event()

    def put_result(self, *args: Any, place: Location | None = None, **kwargs: Any) -> StoredObject:
        self._meet(place)
        return super().put_result(*args, place=place, **kwargs)

    def put_failure(self, *args: Any, place: Location | None = None, **kwargs: Any) -> StoredObject:
        self._meet(place)
        return super().put_failure(*args, place=place, **kwargs)

    def _meet(self, place: Location | None) -> None:
        if place is None and self.own_failures:
            self.own_failures -= 1
            raise UnavailableError("put result", "SlowDown")
        if place is not None and place.bucket == BROKEN:
            self.refused += 1
            assert not self.hangs or self.ended.wait(60)
            raise UnavailableError("put result", "SlowDown")


@pytest.fixture
def results() -> Iterator[BrokenPlaces]:
    results = BrokenPlaces()
    yield results
    results.ended.set()


@pytest.fixture
def world(results: BrokenPlaces) -> World:
    world = World(utc_now)
    world.results = results
    return world


def submit(world: World, tenant: str, bucket: str | None = None) -> RequestId:
    place = bucket and OutputPlace(
        result_folder=Location(bucket=bucket, key="results"),
        failure_folder=Location(bucket=bucket, key="failures"),
    )
    submission = Submission(
        tenant=Tenant(tenant),
        payload=b'"hello"',
        retry=RetryPolicy(initial_delay_ms=0),
        output=place or None,
    )
    row = submission.accepted("echo", "echo-v1", world.clock())
    world.requests.accept(row)
    message = QueueMessage.inline(row.request_id, b'"hello"', "application/json")
    assert message is not None
    world.queue.send(message, priority=0, tenant=tenant)
    return row.request_id


@pytest.mark.parametrize("hangs", [False, True])
async def test_ends_stuck_at_one_tenants_place_stop_nobody_else(
    world: World, results: BrokenPlaces, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(gates, "_ENDING_LIMIT", 3)
    monkeypatch.setattr(persistence, "_SLOW_SECONDS", 0.01)
    results.hangs = hangs
    stuck = [submit(world, "mallory", BROKEN) for _ in range(40)]
    model = HeldModel()
    async with dispatching(world, model):
        await until(lambda: len(model.asked) == len(stuck))
        others = [submit(world, "victim", SOUND), submit(world, "other")]
        await until(all_in(world, others, RequestState.SUCCEEDED))
        assert all_in(world, stuck, RequestState.IN_PROGRESS)()

        results.ended.set()
        monkeypatch.setattr(BrokenPlaces, "_meet", lambda *_: None)  # the place is back
        await until(all_in(world, stuck, RequestState.SUCCEEDED))
    assert len(model.asked) == len(stuck) + len(others)


async def test_a_place_that_stays_unavailable_ends_its_request_with_the_reason_after_one_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_PATIENCE_SECONDS", 0.05)
    request_id = submit(world, "mallory", BROKEN)
    model = HeldModel()
    async with dispatching(world, model):
        await until(all_in(world, [request_id], RequestState.FAILED))
        await until(lambda: world.row(request_id).notified_at is not None)

    row = world.row(request_id)
    assert len(model.asked) == 1
    assert "mallorys-bucket/results" in row.faults[0].message
    assert "stayed unavailable" in row.faults[0].message
    assert row.result is not None
    assert row.result.bucket not in {BROKEN, SOUND}
    assert b"stayed unavailable" in world.results.read(row.result)


async def test_an_outage_of_our_own_place_is_waited_for(
    world: World, results: BrokenPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_PATIENCE_SECONDS", 0)
    results.own_failures = 4
    request_id = submit(world, "other")
    model = HeldModel()
    async with dispatching(world, model):
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    assert len(model.asked) == 1


async def test_a_claim_that_took_effect_unheard_costs_no_attempt(world: World) -> None:
    faults = FaultPoints()
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    world.requests = faults.around("requests", world.requests)
    faults.fail_after("requests.claim", UnavailableError("claim request", "timeout"), times=2)
    async with dispatching(world, HeldModel()):
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    assert not faults.pending
    assert world.row(request_id).attempt == 1


async def unavailable(_: Threads) -> NoReturn:
    raise UnavailableError("put result", "SlowDown")


@pytest.mark.parametrize("bound", ["ends", "bytes"])
async def test_where_too_many_ends_wait_the_busiest_tenants_oldest_gives_way(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bound == "ends":
        monkeypatch.setattr(persistence, "_MOST_ENDS", 3)
    else:
        monkeypatch.setattr(persistence, "_MOST_BYTES", 300)
    gate, threads, gone = Gate(1, hold_budget_seconds=1), Threads("places", 2), list[str]()
    places = CallersPlaces(gate, threads)

    def gives_up(name: str) -> Awaitable[str]:
        gone.append(name)
        return asyncio.sleep(0, name)

    waiting = []
    for name in ("victim 1", "mallory 1", "mallory 2", "mallory 3", "mallory 4"):
        end = End(gate.admit(0), Tenant(name.split()[0]), size_bytes=100)
        ending = places.insist(end, unavailable, lambda _, name=name: gives_up(name))  # type: ignore[misc]  # mypy takes the default for an argument
        waiting.append(asyncio.create_task(ending))
        await asyncio.sleep(0)
    await until(lambda: len(gone) == 2)
    assert gone == ["mallory 1", "mallory 2"]

    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    threads.close()
