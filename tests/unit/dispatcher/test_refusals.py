"""A model server that is ready and answers that it does not take this request now."""

import asyncio
from collections.abc import Callable

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestState, RetryPolicy
from penstock.protocol.announcing import Announcing
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.steps import Announce, Run, Step, Wait
from runtime_image.dispatcher.model_server.server import ModelRefusedError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

BUSY = ModelAnswer(b"engine dead", "text/plain", 503)


@pytest.fixture(autouse=True)
def pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime_image.dispatcher.model_calls._BUSY_PAUSE_SECONDS", 0.01)


def refusing(*refused: bytes, whenever: Callable[[], bool] = lambda: True) -> HeldModel:
    async def behave(payload: bytes) -> bytes:
        if payload in refused and whenever():
            raise ModelRefusedError(BUSY)
        return payload

    return HeldModel(behave)


def refuse_once(world: World) -> Step:
    """Claim the request that waits, have the model server refuse it, and put its message back."""
    delivery = world.receive()
    step = world.protocol().claim(delivery)
    if isinstance(step, Run):
        step = world.protocol().put_back(step.request, BUSY)
    if isinstance(step, Wait):
        world.queue.hide([delivery], step.seconds)
    return step


def test_a_refused_request_waits_ever_longer_and_no_longer_than_its_time_in_the_queue(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    waits = []
    while isinstance(step := refuse_once(world), Wait):
        row = world.row(request_id)
        assert (row.state, row.attempts_left) == (RequestState.QUEUED, 1)
        waits.append(step.seconds)
        clock.advance(step.seconds)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 90]
    assert clock() == world.row(request_id).deadline_at


def test_at_the_end_of_its_time_a_refused_request_fails_with_the_servers_own_answer(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    while isinstance(step := refuse_once(world), Wait):
        clock.advance(step.seconds)

    assert isinstance(step, Announce)
    row = world.row(request_id)
    assert (row.state, row.faults[0].code) == (RequestState.FAILED, FaultCode.MODEL_UNAVAILABLE)
    assert "503: engine dead" in row.faults[0].message
    told = Announcing(results=world.results, notifier=world.notifier).prepare(row)
    assert told.result is not None
    assert b"503: engine dead" in world.results.read(told.result)


def test_a_refusal_after_the_time_in_the_queue_ends_the_request_at_once(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    step = world.protocol().claim(world.receive())
    assert isinstance(step, Run)
    clock.advance(601)
    ended = world.protocol().put_back(step.request, BUSY)
    assert ended == Announce(world.row(request_id))
    assert world.row(request_id).state is RequestState.FAILED


async def test_a_refused_request_gives_its_slot_to_those_behind_it_at_once(world: World) -> None:
    model = refusing(b"bad")
    bad = world.submit(b"bad")
    good = [world.submit(f"{number}".encode()) for number in range(6)]
    async with dispatching(world, model, concurrency_target=1):
        await until(all_in(world, good, RequestState.SUCCEEDED))
    assert model.asked.count(b"bad") == 1
    row = world.row(bad)
    assert (row.state, row.attempts_left) == (RequestState.QUEUED, row.retry.max_attempts)


async def test_a_server_that_turns_out_not_ready_is_waited_for_and_asked_again(
    world: World,
) -> None:
    async def behave(payload: bytes) -> bytes:
        if len(model.asked) == 1:
            model.ready = False
            raise ModelRefusedError(BUSY)
        return payload

    model = HeldModel(behave)
    request_id = world.submit()
    async with dispatching(world, model):
        await until(lambda: len(model.asked) == 1)
        await asyncio.sleep(0)
        assert world.row(request_id).state is RequestState.IN_PROGRESS
        model.ready = True
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    row = world.row(request_id)
    assert (row.attempt, row.refusal) == (1, None)


async def test_a_server_that_is_not_ready_whenever_it_is_asked_has_refused_the_request(
    world: World,
) -> None:
    async def behave(payload: bytes) -> bytes:
        model.ready = False
        asyncio.get_running_loop().call_later(0.05, become_ready)
        raise ModelRefusedError(BUSY)

    def become_ready() -> None:
        model.ready = True

    model = HeldModel(behave)
    request_id = world.submit()
    async with dispatching(world, model):
        await until(lambda: world.row(request_id).refusal is not None)
    assert len(model.asked) == 2


async def test_who_is_refused_in_a_batch_is_asked_for_alone_before_anything_is_held_against_it(
    world: World,
) -> None:
    async def behave(payload: bytes) -> bytes:
        if b"bad" in payload:
            raise ModelRefusedError(BUSY)
        return payload

    model = HeldModel(behave)
    good, bad = world.submit(b'"good"'), world.submit(b'"bad"')
    async with dispatching(
        world, model, concurrency_target=2, max_batch_size=2, max_batch_wait_ms=5_000
    ):
        await until(all_in(world, [good], RequestState.SUCCEEDED))
        await until(lambda: world.row(bad).refusal is not None)
    assert sorted(model.asked) == [b'"bad"', b'"good"', b'["good","bad"]']
    assert world.row(good).refusal is None


def test_a_request_whose_workers_all_die_ends_after_its_attempts_whatever_the_receives(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=3))
    receives = 0
    while not world.row(request_id).state.is_terminal:
        world.protocol().claim(world.receive())  # and dies
        receives += 1
        clock.advance(100)
    assert (receives, world.row(request_id).state) == (4, RequestState.FAILED)
