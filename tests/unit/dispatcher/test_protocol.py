"""Each step of the protocol, and what a second worker sees of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import LeaseLostError
from penstock.contracts.message import QueueMessage
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import RequestId, RequestState, RetryPolicy
from penstock.protocol.loading import Loaded
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Announce, Drop, Run, Wait
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World

CRASH = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")
REJECTED = Fault(code=FaultCode.MODEL_INVALID_INPUT, message="not an image")


def _run(protocol: RequestProtocol, world: World) -> Run:
    step = protocol.claim(world.receive())
    assert isinstance(step, Run)
    return step


def _submit_again(world: World, request_id: RequestId) -> None:
    message = QueueMessage.inline(request_id, b'"hello"', "application/json")
    assert message is not None
    world.queue.send(message, priority=0, tenant="acme")


def test_a_claimed_request_is_in_progress_under_its_worker(world: World) -> None:
    request_id = world.submit()
    step = _run(world.protocol(), world)

    assert step.request == world.row(request_id)
    assert (step.request.state, step.request.attempt) == (RequestState.IN_PROGRESS, 1)
    assert step.request.lease_owner == "w1"


def test_an_answer_is_stored_before_the_request_succeeds(world: World) -> None:
    request_id = world.submit()
    step = world.protocol().succeed(_run(world.protocol(), world).request, b"42", "text/plain")

    assert isinstance(step, Announce)
    row = world.row(request_id)
    assert row.state is RequestState.SUCCEEDED
    assert row.result is not None
    assert world.results.read(row.result) == b"42"
    assert row.result.content_type == "text/plain"


def test_a_request_held_by_another_worker_is_hidden_for_the_rest_of_its_lease(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    _run(world.protocol("w1"), world)
    _submit_again(world, request_id)
    clock.advance(10)

    step = world.protocol("w2").claim(world.receive())
    assert step == Wait(LEASE_SECONDS - 10 + 1)


def test_a_duplicate_rests_longer_with_each_receive_up_to_one_more_lease(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    held = _run(world.protocol("w1"), world).request
    _submit_again(world, request_id)
    duplicate = world.receive()
    waits = []
    for receives in range(1, 12):
        clock.advance(200)
        held = world.requests.renew(held, LEASE_SECONDS)
        step = world.protocol("w2").claim(replace(duplicate, receive_count=receives))
        assert isinstance(step, Wait)
        waits.append(step.seconds - LEASE_SECONDS - 1)
    assert waits == [0, 1, 3, 7, 15, *[LEASE_SECONDS] * 6]


def test_a_dead_workers_message_rests_no_longer_than_two_leases_however_often_it_was_received(
    world: World, clock: FakeClock
) -> None:
    world.submit()
    delivery = world.receive()
    run = world.protocol("w1").claim(delivery)
    assert isinstance(run, Run)
    request = run.request
    for _ in range(60):
        clock.advance(LEASE_SECONDS / 3)
        request = world.protocol("w1").renew(request)
    clock.advance(LEASE_SECONDS - 0.5)

    for receives in (2, 12, 499):
        step = world.protocol("heir").claim(replace(delivery, receive_count=receives))
        assert isinstance(step, Wait)
        assert step.seconds <= 2 + LEASE_SECONDS


@pytest.mark.spec("baseten", 23)
def test_a_dead_workers_request_runs_again_after_its_lease(world: World, clock: FakeClock) -> None:
    world.submit()
    first = _run(world.protocol("w1"), world)
    clock.advance(LEASE_SECONDS + 1)
    second = _run(world.protocol("w2"), world)
    assert second.request.attempt == 2

    with pytest.raises(LeaseLostError):
        world.protocol("w1").renew(first.request)
    with pytest.raises(LeaseLostError):
        world.protocol("w1").succeed(first.request, b"zombie", "text/plain")


def test_a_result_left_by_a_dead_attempt_is_adopted_not_computed_again(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    _run(world.protocol("w1"), world)
    world.results.put_result(request_id, b"first", "text/plain")
    clock.advance(LEASE_SECONDS + 1)

    step = world.protocol("w2").claim(world.receive())

    assert isinstance(step, Announce)
    result = world.row(request_id).result
    assert result is not None
    assert world.results.read(result) == b"first"


def test_a_zombies_answer_never_replaces_the_stored_one(world: World) -> None:
    request_id = world.submit()
    request = _run(world.protocol(), world).request
    world.results.put_result(request_id, b"first", "text/plain")
    world.protocol().succeed(request, b"second", "text/plain")

    result = world.row(request_id).result
    assert result is not None
    assert world.results.read(result) == b"first"


def test_a_worker_that_stalled_and_was_replaced_leaves_no_object(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=2))
    zombie = _run(world.protocol("zombie"), world).request
    clock.advance(LEASE_SECONDS + 1)
    held = _run(world.protocol("heir"), world).request

    with pytest.raises(LeaseLostError):
        world.protocol("zombie").succeed(zombie, b"late", "text/plain")
    assert world.results.find_result(request_id) is None
    with pytest.raises(LeaseLostError):
        world.protocol("zombie").fail(zombie, REJECTED)
    assert world.row(request_id) == held


def test_a_worker_that_stalled_and_was_not_replaced_stores_its_answer(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    stalled = _run(world.protocol(), world).request
    clock.advance(LEASE_SECONDS + 1)
    world.protocol().succeed(stalled, b"late", "text/plain")
    assert world.row(request_id).state is RequestState.SUCCEEDED


@pytest.mark.spec("baseten", 21)
def test_a_failed_attempt_waits_its_backoff_and_counts(world: World) -> None:
    retry = RetryPolicy(max_attempts=3, initial_delay_ms=1_000, max_delay_ms=1_500)
    request_id = world.submit(retry=retry)
    protocol = world.protocol()

    delays = []
    for _ in range(2):
        delivery = world.receive()
        step = protocol.claim(delivery)
        assert isinstance(step, Run)
        wait = protocol.fail(step.request, CRASH)
        assert isinstance(wait, Wait)
        delays.append(wait.seconds)
        world.queue.hide([delivery], 0)

    assert delays == [1.0, 1.5]
    row = world.row(request_id)
    assert (row.state, row.attempts_left) == (RequestState.QUEUED, 1)


@pytest.mark.spec("baseten", 21)
def test_the_last_allowed_failure_ends_the_request_with_its_fault(world: World) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    step = world.protocol().fail(_run(world.protocol(), world).request, CRASH)

    assert isinstance(step, Announce)
    row = world.row(request_id)
    assert row.state is RequestState.FAILED
    assert row.faults == (CRASH,)
    assert row.result is not None
    document = json.loads(world.results.read(row.result))
    assert document["errors"] == [{"code": "MODEL_PREDICT_ERROR", "message": "boom"}]


@pytest.mark.spec("baseten", 22)
def test_rejected_input_is_not_tried_again(world: World) -> None:
    request_id = world.submit()
    world.protocol().fail(_run(world.protocol(), world).request, REJECTED)
    assert world.row(request_id).state is RequestState.FAILED


def test_giving_back_does_not_count_as_an_attempt(world: World) -> None:
    request_id = world.submit()
    request = _run(world.protocol(), world).request
    assert world.protocol().give_back(request) == Wait(0)

    row = world.row(request_id)
    assert row.state is RequestState.QUEUED
    assert row.attempts_left == row.retry.max_attempts


@pytest.mark.spec("baseten", 20)
def test_a_request_that_waited_too_long_expires_and_is_announced(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    clock.advance(601)
    step = world.protocol().claim(world.receive())

    assert isinstance(step, Announce)
    assert step.request.state is RequestState.EXPIRED
    assert step.request.is_unannounced
    assert world.row(request_id).state is RequestState.EXPIRED


def test_a_waiting_retry_never_expires(world: World, clock: FakeClock) -> None:
    world.submit()
    delivery = world.receive()
    step = world.protocol().claim(delivery)
    assert isinstance(step, Run)
    world.protocol().give_back(step.request)
    clock.advance(3_600)

    assert isinstance(world.protocol().claim(world.receive()), Run)


@pytest.mark.spec("baseten", 23)
def test_a_request_whose_every_attempt_killed_its_worker_fails(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=2))
    for _ in range(2):
        _run(world.protocol(), world)
        clock.advance(LEASE_SECONDS + 1)
    clock.advance(60)

    step = world.protocol().claim(world.receive())

    assert isinstance(step, Announce)
    row = world.row(request_id)
    assert row.state is RequestState.FAILED
    assert [fault.code for fault in row.faults] == [FaultCode.MODEL_UNAVAILABLE]


def test_a_result_left_by_the_last_allowed_attempt_is_adopted(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    _run(world.protocol(), world)
    left = world.results.put_result(request_id, b"42", "text/plain")
    clock.advance(LEASE_SECONDS + 60 + 1)

    step = world.protocol("heir").claim(world.receive())
    assert isinstance(step, Announce)
    assert (step.request.state, step.request.result) == (RequestState.SUCCEEDED, left)


def test_a_worker_half_a_minute_behind_is_not_declared_dead_in_its_last_attempt(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit(retry=RetryPolicy(max_attempts=1))
    held = _run(world.protocol("w1"), world).request
    behind = FakeClock(clock() - timedelta(seconds=31))
    held = world.requests.seen_with(behind).renew(held, LEASE_SECONDS)
    _submit_again(world, request_id)

    step = world.protocol("w2").claim(world.receive())
    assert step == Wait(60 - 31 + LEASE_SECONDS + 1)
    assert world.row(request_id) == held


@pytest.mark.spec("baseten", 15)
def test_a_cancelled_request_never_runs(world: World) -> None:
    request_id = world.submit()
    world.requests.cancel(request_id)
    step = world.protocol().claim(world.receive())
    assert isinstance(step, Announce)
    assert not step.request.is_unannounced


def test_a_request_asked_to_stop_does_not_run_again_after_its_worker_died(
    world: World, clock: FakeClock
) -> None:
    request_id = world.submit()
    _run(world.protocol(), world)
    world.requests.cancel(request_id, force=True)
    clock.advance(LEASE_SECONDS + 1)

    assert isinstance(world.protocol("w2").claim(world.receive()), Announce)
    assert world.row(request_id).state is RequestState.CANCELED


def test_a_message_without_a_row_is_dropped(world: World) -> None:
    message = QueueMessage(request_id=RequestId("0" * 32), text="1")
    world.queue.send(message, priority=0, tenant="acme")
    assert world.protocol().claim(world.receive()) == Drop()


def test_a_large_payload_is_loaded_from_the_store(world: World) -> None:
    request_id = RequestId("1" * 32)
    stored = world.payloads.put(request_id, b"big", "application/octet-stream")
    message = QueueMessage.pointing_to(request_id, stored)
    world.queue.send(message, priority=0, tenant="acme")
    loaded = world.protocol().load(world.receive())
    assert loaded == Loaded(b"big", "application/octet-stream", 3)
