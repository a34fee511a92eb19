"""Outages of our own buckets and table cost a request nothing; those of a caller's no attempt."""

from dataclasses import replace
from threading import Event
from typing import Any, NoReturn

import pytest

from penstock.adapters.in_memory import FaultPoints, InMemoryPayloadStore
from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, RequestState, RetryPolicy, Tenant
from penstock.contracts.submission import OutputPlace, Submission
from runtime_image.dispatcher import callers_inputs, persistence, worker
from runtime_image.dispatcher.model_server.server import ModelFaultError
from tests.unit.dispatcher.conftest import World
from tests.unit.dispatcher.dispatching import HeldModel, all_in, dispatching, until

DOWN = UnavailableError("S3", "ServiceUnavailable")
INPUT = InputLocation(bucket="callers", key="in/1")


@pytest.fixture
def world() -> World:
    return World(utc_now)


@pytest.fixture
def faults(world: World) -> FaultPoints:
    faults = FaultPoints()
    world.requests = faults.around("requests", world.requests)
    world.results = faults.around("results", world.results)
    world.payloads = faults.around("payloads", world.payloads)
    return faults


def place(bucket: str) -> OutputPlace:
    return OutputPlace(
        result_folder=Location(bucket=bucket, key="results/abcd/sagemaker/acme"),
        failure_folder=Location(bucket=bucket, key="failures/abcd/sagemaker/acme"),
    )


def accept(world: World, *, attempts: int = 1, **values: Any) -> AsyncRequest:
    retry = RetryPolicy(max_attempts=attempts, initial_delay_ms=0)
    submission = Submission(tenant=Tenant("acme"), retry=retry, **values)
    row = submission.accepted("echo", "echo-v1", world.clock())
    world.requests.accept(row)
    return row


def send(world: World, message: QueueMessage) -> None:
    world.queue.send(message, priority=0, tenant="acme")


async def test_our_own_bucket_is_waited_for_where_a_dialect_promises_a_place_in_it(
    world: World, faults: FaultPoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_PATIENCE_SECONDS", 0)
    row = accept(world, output=place("results"))
    send(world, QueueMessage(request_id=row.request_id, text="1"))
    faults.fail("results.put_result", DOWN, times=3)
    async with dispatching(world, HeldModel()):
        await until(lambda: world.row(row.request_id).state.is_terminal)
    assert world.row(row.request_id).state is RequestState.SUCCEEDED
    assert not faults.pending


@pytest.mark.parametrize("answers", [True, False])
async def test_a_table_that_is_unavailable_is_no_fault_of_a_callers_place(
    world: World, faults: FaultPoints, monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    monkeypatch.setattr(persistence, "_PATIENCE_SECONDS", 0)
    row = accept(world, output=place("callers"))
    send(world, QueueMessage(request_id=row.request_id, text="1"))
    faults.fail("requests.finish", UnavailableError("finish request", "throttled"), times=3)

    async def answer(payload: bytes) -> bytes:
        if not answers:
            raise ModelFaultError(FaultCode.MODEL_INVALID_INPUT, "no")
        return payload

    async with dispatching(world, HeldModel(answer)):
        await until(lambda: world.row(row.request_id).state.is_terminal)
    ended = world.row(row.request_id)
    assert ended.state is (RequestState.SUCCEEDED if answers else RequestState.FAILED)
    assert ended.result is not None
    assert ended.result.bucket == "callers"
    assert not faults.pending


async def test_a_payload_in_our_bucket_is_waited_for_by_the_attempt_that_needs_it(
    world: World, faults: FaultPoints
) -> None:
    row = accept(world)
    stored = world.payloads.put(row.request_id, b'"x"', "application/json")
    send(world, QueueMessage.pointing_to(row.request_id, stored))
    faults.fail("payloads.read", DOWN, times=4)
    async with dispatching(world, HeldModel()):
        await until(lambda: world.row(row.request_id).state.is_terminal)
    assert world.row(row.request_id).state is RequestState.SUCCEEDED
    assert not faults.pending


async def test_an_attempt_outlives_an_outage_in_which_it_looks_for_what_a_dead_one_left(
    world: World, faults: FaultPoints
) -> None:
    row = accept(world, attempts=2, output=place("results"))
    send(world, QueueMessage(request_id=row.request_id, text="1"))
    world.requests.claim(row.request_id, "dead", 0)
    faults.fail("results.find_result", DOWN, times=6)
    async with dispatching(world, HeldModel()):
        await until(lambda: world.row(row.request_id).state.is_terminal)
    assert world.row(row.request_id).state is RequestState.SUCCEEDED
    assert world.row(row.request_id).attempt == 2
    assert not faults.pending


async def test_an_input_in_a_callers_bucket_that_is_unavailable_costs_no_attempt(
    world: World, faults: FaultPoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_INPUT_PATIENCE_SECONDS", 0)
    monkeypatch.setattr(worker, "_INPUT_REST_SECONDS", 0)
    world.payloads.place(INPUT, b'"x"', "application/json")
    row = accept(world, input=INPUT)
    send(world, QueueMessage.reading(row.request_id, INPUT))
    faults.fail("payloads.fetch", DOWN, times=3)
    async with dispatching(world, HeldModel()):
        await until(all_in(world, [row.request_id], RequestState.SUCCEEDED))
    ended = world.row(row.request_id)
    assert (ended.attempt, ended.failed_attempts) == (4, 1)
    assert not faults.pending


def test_a_request_rests_longer_each_time_its_input_is_unavailable(world: World) -> None:
    row = accept(world)
    send(world, QueueMessage.reading(row.request_id, INPUT))
    delivery = world.receive()
    rests = []
    for receives in (1, 2, 3, 20):
        received = replace(delivery, receive_count=receives)
        rests.append(worker._input_rest_seconds(received))  # noqa: SLF001 - its growth
    assert rests == [5, 10, 20, 600]


@pytest.mark.parametrize("slots", [1, 4])
async def test_inputs_that_hang_at_one_tenants_bucket_stop_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch, slots: int
) -> None:
    monkeypatch.setattr(callers_inputs, "_SLOW_SECONDS", 0.05)
    ended = Event()

    class Hanging(InMemoryPayloadStore):
        def fetch(self, *_: object) -> NoReturn:
            ended.wait(60)
            raise DOWN

    world.payloads = Hanging()
    for _ in range(20):
        row = accept(world, input=INPUT)
        send(world, QueueMessage.reading(row.request_id, INPUT))
    async with dispatching(world, HeldModel(), concurrency_target=slots):
        others = [world.submit() for _ in range(3)]
        try:
            await until(all_in(world, others, RequestState.SUCCEEDED))
        finally:
            monkeypatch.setattr(worker, "_INPUT_PATIENCE_SECONDS", 0)
            ended.set()
