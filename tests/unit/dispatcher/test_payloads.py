"""Payloads that come as files, calls of containers, and messages of no request."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import pytest

from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall, InputLocation
from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import RequestId, RequestState, RetryPolicy, Tenant
from penstock.contracts.submission import Submission
from penstock.protocol import loading
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

VIDEO = InputLocation(bucket="inputs", key="video.mp4")


@dataclass
class FilingModel(HeldModel):
    """A model that answers with a file."""

    answers: list[BinaryIO] = field(default_factory=list)

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        made = await super().predict(request_id, payload, call, timeout_seconds)
        assert isinstance(made.body, bytes)
        self.answers.append(tempfile.TemporaryFile())  # noqa: SIM115 - closed by what is tested
        self.answers[-1].write(made.body)
        self.answers[-1].flush()
        return Answer(self.answers[-1], "video/webm", 206)


@pytest.fixture
def world() -> World:
    world = World(utc_now)
    world.payloads.place(VIDEO, b"frames", "video/mp4")
    return world


def submit(
    world: World,
    location: InputLocation = VIDEO,
    *,
    call: ContainerCall | None = None,
    attempts: int = 1,
) -> RequestId:
    retry = RetryPolicy(max_attempts=attempts, initial_delay_ms=0)
    submission = Submission(tenant=Tenant("acme"), input=location, call=call, retry=retry)
    row = submission.accepted("echo", "echo-v1", world.clock())
    world.requests.accept(row)
    message = QueueMessage.reading(row.request_id, location, call)
    world.queue.send(message, priority=0, tenant="acme")
    return row.request_id


def all_closed(files: Sequence[object]) -> bool:
    return bool(files) and all(getattr(file, "closed", False) for file in files)


async def test_a_file_reaches_the_model_and_its_answer_the_store_and_both_are_closed(
    world: World,
) -> None:
    model = FilingModel()
    request_id = submit(world)
    async with dispatching(world, model):
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    assert model.asked == [b"frames"]
    stored = world.row(request_id).result
    assert stored is not None
    assert (stored.content_type, stored.http_status) == ("video/webm", 206)
    assert world.results.read(stored) == b"frames"
    assert all_closed([payload.content for payload in model.payloads])
    assert all_closed(model.answers)


async def test_the_file_of_a_failed_attempt_is_closed(world: World) -> None:
    async def fail(_: bytes) -> bytes:
        raise ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom")

    model = HeldModel(fail)
    request_id = submit(world, attempts=2)
    async with dispatching(world, model):
        await until(all_in(world, [request_id], RequestState.FAILED))
    assert len(model.payloads) == 2
    assert all_closed([payload.content for payload in model.payloads])


async def test_the_file_of_a_cancelled_request_is_closed(world: World) -> None:
    model = HeldModel(forever)
    request_id = submit(world)
    async with dispatching(world, model):
        await until(lambda: model.running == 1)
        world.requests.cancel(request_id, force=True)
        await until(all_in(world, [request_id], RequestState.CANCELED))
    assert all_closed([payload.content for payload in model.payloads])


async def test_the_file_of_a_request_that_was_lost_is_closed(world: World) -> None:
    model = HeldModel(forever)
    request_id = submit(world, attempts=2)
    async with dispatching(world, model):
        await until(lambda: model.running == 1)
        world.requests.release(world.row(request_id), None, counts_as_attempt=False)
        world.requests.claim(request_id, "thief", 60)
        await until(lambda: model.closed != [])
        await until(lambda: all_closed([payload.content for payload in model.payloads]))


async def test_a_request_cancelled_while_its_payload_is_fetched_never_reaches_the_model(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id, model = submit(world), HeldModel()
    fetch = world.payloads.fetch

    def fetch_slowly(location: InputLocation, into: BinaryIO, max_bytes: int) -> str:
        world.requests.cancel(request_id, force=True)
        dispatcher = asyncio.run_coroutine_threadsafe(beats(), loop)
        dispatcher.result(10)
        return fetch(location, into, max_bytes)

    async with dispatching(world, model) as running:
        loop, beats = asyncio.get_running_loop(), running.process.heartbeats.beat
        monkeypatch.setattr(world.payloads, "fetch", fetch_slowly)
        await until(all_in(world, [request_id], RequestState.CANCELED))
    assert model.asked == []


async def test_an_input_that_cannot_be_read_fails_for_good_with_its_reason(world: World) -> None:
    model = HeldModel()
    request_id = submit(world, InputLocation(bucket="inputs", key="gone"), attempts=3)
    async with dispatching(world, model):
        await until(all_in(world, [request_id], RequestState.FAILED))
    (fault,) = world.row(request_id).faults
    assert fault.code is FaultCode.MODEL_INVALID_INPUT
    assert "s3://inputs/gone" in fault.message
    assert model.asked == []


async def test_a_full_disk_fails_the_attempt_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> BinaryIO:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loading, "TemporaryFile", full)
    request_id = submit(world)
    async with dispatching(world, HeldModel()):
        await until(all_in(world, [request_id], RequestState.FAILED))
    (fault,) = world.row(request_id).faults
    assert fault.code is FaultCode.INTERNAL_SERVER_ERROR
    assert "No space left on device" in fault.message


async def test_the_model_server_is_called_as_the_message_says(world: World) -> None:
    call = ContainerCall(method="PUT", path="/v1/frames", query="n=1")
    model = HeldModel()
    ids = [submit(world, call=call), submit(world)]
    async with dispatching(world, model):
        await until(all_in(world, ids, RequestState.SUCCEEDED))
    assert sorted(model.calls, key=str) == [None, call]


async def test_what_the_container_answered_instead_of_a_result_is_kept(world: World) -> None:
    async def refuse(_: bytes) -> bytes:
        raise ModelFaultError(
            FaultCode.MODEL_INVALID_INPUT, "418", ModelAnswer(b"teapot", "text/plain", 418)
        )

    request_id = submit(world, call=ContainerCall())
    async with dispatching(world, HeldModel(refuse)):
        await until(all_in(world, [request_id], RequestState.FAILED))
    assert world.row(request_id).result is not None


async def test_a_wake_up_is_deleted_and_nothing_is_asked_of_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    model = HeldModel()
    async with dispatching(world, model):
        for _ in range(3):
            wake_up = QueueMessage.wake_up(RequestId("f" * 32))
            world.queue.send(wake_up, priority=0, tenant="acme")
        await until(lambda: world.queue.depth().queued + world.queue.depth().in_progress == 0)
        request_id = submit(world)
        await until(all_in(world, [request_id], RequestState.SUCCEEDED))
    assert len(model.asked) == 1
    assert "dropped" not in caplog.text


async def forever(payload: bytes) -> bytes:
    await asyncio.Event().wait()
    return payload
