import asyncio

import pytest

from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestState, RetryPolicy
from runtime_image.dispatcher.model_server.server import ModelBusyError, ModelFaultError
from runtime_image.dispatcher.scheduling.holding import Heartbeats
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until


@pytest.fixture
def world() -> World:
    return World(utc_now)


@pytest.mark.spec("baseten", 18)
async def test_every_request_ends_with_its_own_answer_and_its_message_is_gone(
    world: World,
) -> None:
    ids = [world.submit(f'"{n}"'.encode()) for n in range(25)]
    async with dispatching(world, HeldModel(), concurrency_target=4) as dispatcher:
        await until(all_in(world, ids, RequestState.SUCCEEDED))
        await until(lambda: world.queue.depth().queued + world.queue.depth().in_progress == 0)

    results = [world.row(request_id).result for request_id in ids]
    assert [world.results.read(r) for r in results if r] == [f'"{n}"'.encode() for n in range(25)]
    assert dispatcher.model.most_running <= 4
    announced = [n.request_id for n in world.notifier.published]
    assert sorted(announced) == sorted(ids)
    assert all(world.row(request_id).notified_at for request_id in ids)


@pytest.mark.spec("baseten", 21)
async def test_a_failing_model_is_asked_as_often_as_allowed(world: World) -> None:
    async def fail(_: bytes) -> bytes:
        raise ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom")

    request_id = world.submit(retry=RetryPolicy(max_attempts=3, initial_delay_ms=0))
    async with dispatching(world, HeldModel(fail)) as dispatcher:
        await until(all_in(world, [request_id], RequestState.FAILED))
    assert len(dispatcher.model.asked) == 3


async def test_a_request_may_shorten_the_deployments_limit_but_not_lengthen_it(
    world: World,
) -> None:
    ids = [world.submit(predict_timeout_seconds=seconds) for seconds in (None, 5, 500)]
    model = HeldModel()
    async with dispatching(world, model, predict_timeout_seconds=60):
        await until(all_in(world, ids, RequestState.SUCCEEDED))
    assert sorted(model.limits) == [5, 60, 60]


async def test_nothing_is_received_until_the_model_is_ready(world: World) -> None:
    request_id = world.submit()
    model = HeldModel(ready=False)
    async with dispatching(world, model):
        await asyncio.sleep(0.3)
        assert world.queue.depth().queued == 1
        model.ready = True
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))


async def test_a_busy_server_is_asked_again_and_no_attempt_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime_image.dispatcher.model_calls._BUSY_PAUSE_SECONDS", 0.01)
    refusals = 2

    async def busy_then_echo(payload: bytes) -> bytes:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise ModelBusyError("429")
        return payload

    request_id = world.submit()
    async with dispatching(world, HeldModel(busy_then_echo)):
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    assert world.row(request_id).attempt == 1


@pytest.mark.spec("baseten", 46)
async def test_a_drain_finishes_what_runs_and_gives_back_the_rest(world: World) -> None:
    release = asyncio.Event()

    async def hold(payload: bytes) -> bytes:
        await release.wait()
        return payload

    ids = [world.submit(f"{n}".encode()) for n in range(3)]
    model = HeldModel(hold)
    async with dispatching(world, model) as dispatcher:
        await until(lambda: model.running == 1)
        dispatcher.drain.request()
        await asyncio.sleep(0)
        release.set()

    assert len(model.asked) == 1
    states = [world.row(request_id).state for request_id in ids]
    assert sorted(states) == [RequestState.QUEUED, RequestState.QUEUED, RequestState.SUCCEEDED]
    assert world.queue.depth().queued == 2


async def test_what_does_not_fit_into_the_drain_is_given_back_uncounted(world: World) -> None:
    async def forever(payload: bytes) -> bytes:
        await asyncio.Event().wait()
        return payload

    request_id = world.submit()
    model = HeldModel(forever)
    async with dispatching(world, model, drain_seconds=0.1):
        await until(lambda: model.running == 1)

    row = world.row(request_id)
    assert (row.state, row.attempts_left) == (RequestState.QUEUED, row.retry.max_attempts)
    assert world.queue.depth().queued == 1
    assert model.closed == [b'"hello"']


async def test_a_forced_cancel_closes_the_call_and_frees_the_slot(world: World) -> None:
    async def forever_first(payload: bytes) -> bytes:
        if payload == b"stuck":
            await asyncio.Event().wait()
        return payload

    stuck = world.submit(b"stuck")
    model = HeldModel(forever_first)
    async with dispatching(world, model):
        await until(lambda: model.running == 1)
        world.requests.cancel(stuck, force=True)
        await until(all_in(world, [stuck], RequestState.CANCELED))
        after = world.submit(b"after")
        await until(all_in(world, [after], RequestState.SUCCEEDED))
    assert world.row(stuck).result is None
    assert world.results.find_result(stuck) is None


async def test_a_server_that_works_on_after_a_cancel_is_restarted_and_its_slot_works_again(
    world: World,
) -> None:
    async def forever_first(payload: bytes) -> bytes:
        if payload == b"stuck":
            await asyncio.Event().wait()
        return payload

    stuck = world.submit(b"stuck")
    model = HeldModel(forever_first)
    async with dispatching(world, model, restart_after_stop=True) as dispatcher:
        await until(lambda: model.running == 1)
        world.requests.cancel(stuck, force=True)
        await until(all_in(world, [stuck], RequestState.CANCELED))
        assert dispatcher.process.readiness.must_restart
        after = world.submit(b"after")
        model.ready = False
        await until(lambda: not dispatcher.process.readiness.must_restart)
        assert world.row(after).state is RequestState.QUEUED
        model.ready = True
        await until(all_in(world, [after], RequestState.SUCCEEDED))


async def test_a_worker_that_lost_its_lease_stops_quietly(world: World) -> None:
    async def forever_once(payload: bytes) -> bytes:
        await asyncio.Event().wait()
        return payload

    request_id = world.submit()
    model = HeldModel(forever_once)
    async with dispatching(world, model):
        await until(lambda: model.running == 1)
        held = world.row(request_id)
        world.requests.release(held, None, counts_as_attempt=False)
        world.requests.claim(request_id, "thief", 60)
        await until(lambda: model.closed != [])

    row = world.row(request_id)
    assert (row.lease_owner, row.state) == ("thief", RequestState.IN_PROGRESS)
    assert world.results.find_result(request_id) is None


async def test_a_worker_whose_heartbeats_die_gives_back_what_runs_and_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def forever(payload: bytes) -> bytes:
        await asyncio.Event().wait()
        return payload

    async def die(_: Heartbeats) -> None:
        await until(lambda: model.running == 1)
        raise RuntimeError("no more beats")

    monkeypatch.setattr(Heartbeats, "run", die)
    request_id, model = world.submit(), HeldModel(forever)
    with pytest.raises(RuntimeError, match="no more beats"):
        async with dispatching(world, model) as dispatcher:
            await asyncio.wait({dispatcher.task}, timeout=10)

    row = world.row(request_id)
    assert (row.state, row.attempts_left) == (RequestState.QUEUED, row.retry.max_attempts)
    assert "a part of the worker died" in caplog.text


@pytest.mark.spec("baseten", 17)
async def test_later_requests_of_higher_priority_run_before_waiting_lower_ones(
    world: World,
) -> None:
    release = asyncio.Event()

    async def hold_first(payload: bytes) -> bytes:
        if payload == b"first":
            await release.wait()
        return payload

    model = HeldModel(hold_first)
    async with dispatching(world, model):
        world.submit(b"first", priority=2)
        await until(lambda: model.running == 1)
        waiting = [
            world.submit(str(priority).encode(), priority=priority) for priority in (2, 2, 1, 0)
        ]
        release.set()
        await until(all_in(world, waiting, RequestState.SUCCEEDED))
    assert model.asked == [b"first", b"0", b"1", b"2", b"2"]
