"""Waiting for a request's end within one call."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from functions.waiting import Waiting
from penstock.contracts.errors import UnknownRequestError
from penstock.contracts.outcome import Canceled
from penstock.contracts.request import RequestId, RequestState
from tests.unit.functions.world import World


@dataclass
class Pauses:
    """Time that passes only in pauses, and what happens at the end of one of them."""

    now: float = 1_000.0
    taken: list[float] = field(default_factory=list)
    happening: dict[int, Callable[[], object]] = field(default_factory=dict)
    """By the number of the pause, from 1."""

    def elapsed(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds
        self.happening.get(len(self.taken), lambda: None)()


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def waiting(world: World, pauses: Pauses) -> Waiting:
    return Waiting(requests=world.requests, elapsed=pauses.elapsed, sleep=pauses.sleep)


def test_a_request_that_has_ended_is_not_waited_for(
    world: World, waiting: Waiting, pauses: Pauses
) -> None:
    ended = world.succeeded(b"{}")
    assert waiting.for_end(ended.request_id, 25) == ended
    assert pauses.taken == []


def test_the_end_is_seen_at_the_next_look(world: World, waiting: Waiting, pauses: Pauses) -> None:
    running = world.running()
    pauses.happening[3] = lambda: world.requests.finish(running, Canceled())
    assert waiting.for_end(running.request_id, 25).state is RequestState.CANCELED
    assert len(pauses.taken) == 3


def test_time_is_up_to_the_moment(world: World, waiting: Waiting, pauses: Pauses) -> None:
    request = waiting.for_end(world.accepted().request_id, 25)
    assert request.state is RequestState.QUEUED
    assert sum(pauses.taken) == pytest.approx(25)


def test_pauses_grow_from_short_to_half_a_second(
    world: World, waiting: Waiting, pauses: Pauses
) -> None:
    waiting.for_end(world.accepted().request_id, 25)
    whole = pauses.taken[:-1]
    assert whole == sorted(whole)
    assert (whole[0], whole[-1]) == (0.02, 0.5)


def test_the_row_is_looked_at_once_more_when_time_is_up(
    world: World, waiting: Waiting, pauses: Pauses
) -> None:
    running = world.running()
    pauses.happening[1] = lambda: world.requests.finish(running, Canceled())
    assert waiting.for_end(running.request_id, 0.01).state is RequestState.CANCELED


def test_without_time_the_row_is_looked_at_once(
    world: World, waiting: Waiting, pauses: Pauses
) -> None:
    assert waiting.for_end(world.accepted().request_id, 0).state is RequestState.QUEUED
    assert pauses.taken == []


def test_an_unknown_request_is_not_waited_for(waiting: Waiting) -> None:
    with pytest.raises(UnknownRequestError):
        waiting.for_end(RequestId("0" * 32), 25)
