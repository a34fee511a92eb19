"""Batches in a whole dispatcher: to the request nothing is otherwise than without them."""

import asyncio
import json
from typing import Any

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestState, RetryPolicy
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.server import ModelFaultError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

BATCHES: dict[str, Any] = {"concurrency_target": 8, "max_batch_size": 4, "max_batch_wait_ms": 20}


async def test_requests_share_calls_and_each_has_its_own_result(world: World) -> None:
    async def double(content: bytes) -> bytes:
        value = json.loads(content)
        outputs = [2 * each for each in value] if isinstance(value, list) else 2 * value
        return json.dumps(outputs).encode()

    model = HeldModel(double)
    ids = [world.submit(str(number).encode()) for number in range(20)]
    async with dispatching(world, model, **BATCHES):
        await until(all_in(world, ids, RequestState.SUCCEEDED))

    results = [world.row(each).result for each in ids]
    assert [world.results.read(result) for result in results if result] == [
        str(2 * number).encode() for number in range(20)
    ]
    assert len(model.asked) < 20
    assert model.most_running == 1


async def test_what_a_dying_model_server_took_down_runs_alone_and_only_the_culprit_fails(
    world: World,
) -> None:
    async def dies_of_three(content: bytes) -> bytes:
        value = json.loads(content)
        if value == 3 or (isinstance(value, list) and 3 in value):
            raise ModelFaultError(FaultCode.MODEL_UNAVAILABLE, "gone")
        return content

    model = HeldModel(dies_of_three)
    retry = RetryPolicy(max_attempts=2, initial_delay_ms=0)
    ids = [world.submit(str(number).encode(), retry=retry) for number in range(4)]
    async with dispatching(world, model, **BATCHES):
        await until(all_in(world, ids[:3], RequestState.SUCCEEDED))
        await until(all_in(world, ids[3:], RequestState.FAILED))

    assert sorted(model.asked[1:]) == [b"0", b"1", b"2", b"3"]


async def test_a_cancelled_request_leaves_its_batch_to_the_others(world: World) -> None:
    release = asyncio.Event()

    async def waits(content: bytes) -> bytes:
        await release.wait()
        return content

    model = HeldModel(waits)
    ids = [world.submit(str(number).encode()) for number in range(4)]
    async with dispatching(world, model, **BATCHES):
        await until(lambda: model.running == 1)
        world.requests.cancel(ids[1], force=True)
        await until(all_in(world, ids[1:2], RequestState.CANCELED))
        assert model.closed == []
        release.set()
        await until(all_in(world, [ids[0], *ids[2:]], RequestState.SUCCEEDED))


async def test_a_newcomer_of_high_priority_is_in_the_very_next_batch(world: World) -> None:
    release = asyncio.Event()

    async def first_waits(content: bytes) -> bytes:
        if not release.is_set():
            await release.wait()
        return content

    model = HeldModel(first_waits)
    low = [world.submit(str(number).encode(), priority=2) for number in range(12)]
    async with dispatching(world, model, **BATCHES) as dispatcher:
        await until(lambda: dispatcher.process.worker.gate.running == 8)
        high = world.submit(b'"high"')
        await until(lambda: dispatcher.process.worker.gate.running == 9)
        release.set()
        await until(all_in(world, [*low, high], RequestState.SUCCEEDED))

    assert "high" in json.loads(model.asked[1])


async def test_a_newcomer_of_high_priority_overtakes_those_that_a_refused_batch_left(
    world: World,
) -> None:
    refuse, release = asyncio.Event(), asyncio.Event()

    async def takes_no_batches(content: bytes) -> bytes:
        if isinstance(json.loads(content), list):
            await refuse.wait()
            raise ModelFaultError(
                FaultCode.MODEL_PREDICT_ERROR, "one, please", ModelAnswer(b"", "text/plain", 500)
            )
        await release.wait()
        return content

    model = HeldModel(takes_no_batches)
    low = [world.submit(str(number).encode(), priority=2) for number in range(4)]
    async with dispatching(world, model, **BATCHES | {"concurrency_target": 4}) as dispatcher:
        gate = dispatcher.process.worker.gate
        await until(lambda: len(model.asked) == 1)
        change = asyncio.create_task(gate.change())
        refuse.set()
        await until(change.done)
        high = world.submit(b"99")
        await until(lambda: gate.running == 5)
        release.set()
        await until(all_in(world, [*low, high], RequestState.SUCCEEDED))

    assert model.asked[2] == b"99"


async def test_a_drain_lets_those_finish_that_had_a_slot(clock: FakeClock) -> None:
    world = World(clock)
    release = asyncio.Event()

    async def waits(content: bytes) -> bytes:
        await release.wait()
        return content

    model = HeldModel(waits)
    ids = [world.submit(str(number).encode()) for number in range(8)]
    async with dispatching(world, model, **BATCHES) as dispatcher:
        await until(lambda: dispatcher.process.worker.gate.running == 8)
        dispatcher.drain.request()
        release.set()
        await until(dispatcher.task.done)

    assert all_in(world, ids, RequestState.SUCCEEDED)()
    assert len(model.asked) == 2
