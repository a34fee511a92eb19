"""How much one sweep gets done, by what its calls take on a virtual clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.sweeper.service import SweeperService
from functions.sweeper.workforce import Job
from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from tests.unit.functions.world import World

_THREADS = 16
_SWEEP_SECONDS = 45


class VirtualThreads:
    """A workforce whose members have a clock each: a job begins when the first of them is free."""

    def __init__(self, world: World) -> None:
        self._clock = world.clock

    def __call__(self, jobs: Iterator[Job]) -> None:
        began = self._clock()
        free_at = [began] * _THREADS
        while True:
            first = min(range(_THREADS), key=lambda each: free_at[each])
            self._set(free_at[first])
            if (job := next(jobs, None)) is None:
                break
            job()
            free_at[first] = self._clock()
        self._set(max(free_at))

    def _set(self, moment: datetime) -> None:
        self._clock.advance((moment - self._clock()).total_seconds())


class Timed:
    """A port each of whose calls takes its time."""

    def __init__(self, world: World, port: object, seconds: float) -> None:
        self._world, self._port, self._seconds = world, port, seconds

    def __getattr__(self, method: str) -> object:
        attribute = getattr(self._port, method)

        def call(*args: object, **kwargs: object) -> object:
            self._world.clock.advance(self._seconds)
            return attribute(*args, **kwargs)

        return call


def sweep(world: World) -> None:
    began = world.clock()
    SweeperService(
        catalog=world.catalog,
        requests=Timed(world, world.requests, 0.005),  # type: ignore[arg-type]  # hands on
        results=Timed(world, world.results, 0.02),  # type: ignore[arg-type]  # hands on
        notifier=Timed(world, world.notifier, 0.01),  # type: ignore[arg-type]  # hands on
        queue_of=world.queue_of,
        dead_letters_of=world.dead_letters_of,
        clock=world.clock,
        count=world.count,
        workforce=VirtualThreads(world),
    ).sweep(lambda: world.clock() < began + timedelta(seconds=_SWEEP_SECONDS))


def waiting(world: World, count: int, tenant: str) -> list[AsyncRequest]:
    return [world.accepted(tenant=Tenant(tenant)) for _ in range(count)]


def test_ten_thousand_rows_that_expire_at_once_are_all_announced_within_two_sweeps() -> None:
    world = World()
    rows = waiting(world, 10_000, "acme")
    world.clock.advance(600)
    for _ in range(2):
        sweep(world)
    assert all(world.row(row.request_id).notified_at for row in rows)
    assert len(world.notifier.published) == 10_000
    assert world.clock() <= rows[0].deadline_at + timedelta(seconds=2 * _SWEEP_SECONDS)


def test_a_tenants_many_rows_do_not_stand_before_anothers() -> None:
    world = World()
    waiting(world, 3_000, "acme")
    world.clock.advance(1)
    (other,) = waiting(world, 1, "other")
    world.clock.advance(600)
    sweep(world)
    ended = world.row(other.request_id)
    assert ended.state is RequestState.EXPIRED
    heard = [told.request_id for told in world.notifier.published]
    assert heard.index(other.request_id) < 20
