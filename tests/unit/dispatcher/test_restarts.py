"""Restarts of a model server that works on after its call was closed."""

import asyncio

import pytest

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId, RequestState
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server import restarts as module
from runtime_image.dispatcher.model_server.faults import overrun
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.restarts import Restarts
from runtime_image.dispatcher.model_server.server import ModelFaultError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until


class Server:
    """A model server whose calls the test ends, over `Restarts` of some slots."""

    def __init__(self, slots: int) -> None:
        self._release: dict[str, asyncio.Future[bytes]] = {}
        self.model = HeldModel(self._behave)
        self.readiness = Readiness(self.model)
        self.restarts = Restarts(self.model, self.readiness, slots)

    async def _behave(self, payload: bytes) -> bytes:
        return await self._release.setdefault(
            payload.decode(), asyncio.get_running_loop().create_future()
        )

    async def call(self, name: str) -> asyncio.Task[object]:
        payload = Loaded(name.encode(), "text/plain", len(name))
        call = asyncio.create_task(self.restarts.predict(RequestId("0" * 32), payload, None, 60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return call

    async def end(self, call: asyncio.Task[object], name: str, how: Exception | None) -> None:
        release = self._release[name]
        release.set_exception(how) if how else release.set_result(b"")
        await asyncio.wait({call})

    async def close(self, call: asyncio.Task[object]) -> None:
        call.cancel()
        await asyncio.wait({call})

    async def be_restarted(self) -> None:
        self.model.ready = False
        await self.readiness.look()
        self.model.ready = True
        await self.readiness.look()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LULL_SECONDS", 0.0)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)


async def test_the_slot_of_a_closed_call_is_withheld_until_the_server_was_restarted() -> None:
    server = Server(slots=3)
    stuck, beside = await server.call("stuck"), await server.call("beside")
    await server.close(stuck)
    assert server.restarts.withheld() == 1
    assert not server.readiness.must_restart

    await server.end(beside, "beside", None)
    assert server.readiness.must_restart
    assert server.restarts.withheld() == 1
    await server.be_restarted()
    assert server.restarts.withheld() == 0
    assert server.readiness.is_ready


@pytest.mark.usefixtures("soon")
async def test_a_restart_waits_for_those_who_run_and_after_a_while_nothing_more_starts() -> None:
    server = Server(slots=3)
    stuck, beside = await server.call("stuck"), await server.call("beside")
    await server.close(stuck)
    await until(lambda: server.restarts.withheld() == 3)
    assert not server.readiness.must_restart
    assert not beside.done()
    await server.end(beside, "beside", None)
    assert server.readiness.must_restart


async def test_one_restart_follows_another_no_sooner_than_after_a_pause() -> None:
    server = Server(slots=2)
    await server.close(await server.call("first"))
    assert server.readiness.must_restart
    await server.be_restarted()

    await server.close(await server.call("second"))
    assert not server.readiness.must_restart
    assert server.restarts.withheld() == 1
    await server.close(await server.call("third"))
    assert server.readiness.must_restart  # no slot is left that a restart would disturb


async def test_a_call_that_ran_out_of_time_is_one_that_was_closed() -> None:
    server = Server(slots=1)
    call = await server.call("slow")
    await server.end(call, "slow", overrun(60))
    assert server.readiness.must_restart


@pytest.mark.parametrize("status", [408, 504])
async def test_a_timeout_that_the_server_answered_restarts_nothing(status: int) -> None:
    server = Server(slots=1)
    call = await server.call("slow")
    answer = ModelAnswer(b"timed out upstream", "text/plain", status)
    fault = ModelFaultError(FaultCode.MODEL_PREDICT_TIMEOUT, "timed out upstream", answer)
    await server.end(call, "slow", fault)
    assert not server.readiness.must_restart
    assert server.restarts.withheld() == 0


async def test_what_runs_beside_stopped_requests_is_never_broken_off(world: World) -> None:
    release = asyncio.Event()

    async def behave(payload: bytes) -> bytes:
        if payload == b"victim":
            await release.wait()
        elif payload != b"after":
            await asyncio.Event().wait()
        return payload

    model = HeldModel(behave)
    victim = world.submit(b"victim")
    async with dispatching(
        world, model, restart_after_stop=True, concurrency_target=2
    ) as dispatcher:
        await until(lambda: model.running == 1)
        stopped = world.submit(b"mallory")
        await until(lambda: model.running == 2)
        world.requests.cancel(stopped, force=True)
        await until(all_in(world, [stopped], RequestState.CANCELED))

        waiting = world.submit(b"after")
        assert not dispatcher.process.readiness.must_restart
        release.set()
        await until(all_in(world, [victim], RequestState.SUCCEEDED))
        await until(lambda: dispatcher.process.readiness.must_restart)
        assert world.row(waiting).attempt == 0
        model.ready = False
        await until(lambda: not dispatcher.process.readiness.must_restart)
        model.ready = True
        await until(all_in(world, [waiting], RequestState.SUCCEEDED))
    assert world.row(victim).attempt == 1
    assert model.asked == [b"victim", b"mallory", b"after"]
