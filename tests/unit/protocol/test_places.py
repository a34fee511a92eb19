"""How requests end whose callers were promised a place."""

import json
from io import BytesIO

import pytest

from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import InputUnreadableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Dialect, InputLocation
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.announcing import Announcing
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.steps import Announce, Run, Wait
from tests.unit.dispatcher.conftest import LEASE_SECONDS, World
from tests.unit.protocol.requests import a_row

CRASH = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="The model server answered 500: boom")
LOST = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="closed the connection")
ANSWER = ModelAnswer(b'{"message": "boom"}', "application/json", 500)
LONG = b"\x89PNG" * 300_000


def send(world: World, row: AsyncRequest, message: QueueMessage | None = None) -> None:
    world.requests.accept(row)
    message = message or QueueMessage(request_id=row.request_id, text="1")
    world.queue.send(message, priority=0, tenant="acme")


def run(world: World, dialect: Dialect = Dialect.SAGEMAKER) -> AsyncRequest:
    send(world, a_row(world.clock(), dialect))
    step = world.protocol().claim(world.receive())
    assert isinstance(step, Run)
    return step.request


@pytest.mark.spec("sagemaker", 2)
def test_an_answer_lies_at_the_promised_place_with_its_status(world: World) -> None:
    request = run(world)
    step = world.protocol().succeed(request, BytesIO(LONG), "image/png", 206)

    assert isinstance(step, Announce)
    assert request.destination
    result = step.request.result
    assert result is not None
    assert (result.uri, result.http_status) == (request.destination.result.uri, 206)
    assert world.results.read(result) == LONG


def test_a_result_left_at_its_place_is_adopted_even_if_its_caller_has_cancelled(
    world: World, clock: FakeClock
) -> None:
    request = run(world)
    assert request.destination
    place = request.destination.result
    left = world.results.put_result(request.request_id, b"42", "text/plain", place=place)
    world.requests.cancel(request.request_id, force=True)
    clock.advance(LEASE_SECONDS + 1)

    step = world.protocol("heir").claim(world.receive())
    assert isinstance(step, Announce)
    assert (step.request.state, step.request.result) == (RequestState.SUCCEEDED, left)


@pytest.mark.parametrize("dialect", [Dialect.SAGEMAKER, Dialect.DATACRUNCH])
def test_what_the_model_answered_is_final_where_the_dialect_says_so(
    world: World, dialect: Dialect
) -> None:
    request = run(world, dialect)
    step = world.protocol().fail(request, CRASH, ANSWER)

    assert isinstance(step, Announce)
    assert step.request.state is RequestState.FAILED
    assert step.request.result
    assert step.request.result.http_status == 500
    assert world.results.read(step.request.result) == ANSWER.body


def test_what_the_model_answered_is_tried_again_where_the_caller_may_say_so(world: World) -> None:
    assert world.protocol().fail(run(world, Dialect.BASETEN), CRASH, ANSWER) == Wait(0)


def test_a_lost_model_is_tried_again_in_every_dialect(world: World) -> None:
    assert world.protocol().fail(run(world), LOST) == Wait(0)


def test_an_answer_that_its_place_refuses_fails_the_request_for_good(world: World) -> None:
    world.results.closed_buckets.add("callers")
    request = run(world)
    step = world.protocol().succeed(request, b"42", "text/plain", 200)

    assert isinstance(step, Announce)
    ended = step.request
    assert ended.state is RequestState.FAILED
    assert "could not be stored: s3://callers/results/" in ended.faults[0].message
    assert step.buried_for == ended.faults[0]  # it can be redriven once the bucket is mended
    assert ended.result
    assert ended.result.uri == f"s3://results/failures/{ended.request_id}"
    assert json.loads(world.results.read(ended.result))["message"] == ended.faults[0].message


def test_a_closed_place_hides_no_request_from_its_heir(world: World, clock: FakeClock) -> None:
    run(world)
    world.results.closed_buckets.add("callers")
    clock.advance(LEASE_SECONDS + 1)
    assert isinstance(world.protocol("heir").claim(world.receive()), Run)


def test_what_expires_names_no_document_before_its_announcement_writes_it(
    world: World, clock: FakeClock
) -> None:
    row = a_row(world.clock())
    send(world, row)
    clock.advance(601)
    step = world.protocol().claim(world.receive())

    assert isinstance(step, Announce)
    assert row.destination
    assert step.request.result is None
    place = row.destination.failure
    told = Announcing(results=world.results, notifier=world.notifier).prepare(step.request)
    assert told.result
    assert told.result.uri == place.uri
    assert world.results.put_failure(row.request_id, b"", place=place) == told.result


def test_an_input_is_read_from_where_its_caller_put_it(world: World) -> None:
    location = InputLocation(bucket="inputs", key="1.png")
    world.payloads.place(location, LONG, "image/png")
    row = a_row(world.clock())
    send(world, row, QueueMessage.reading(row.request_id, location))
    loaded = world.protocol().load(world.receive())

    assert not isinstance(loaded.content, bytes)
    assert (loaded.content.read(), loaded.content_type) == (LONG, "image/png")
    assert loaded.size_bytes == len(LONG)
    loaded.close()
    assert loaded.content.closed


def test_a_large_stored_payload_is_read_from_disk(world: World) -> None:
    row = a_row(world.clock())
    stored = world.payloads.put(row.request_id, LONG, "image/png")
    send(world, row, QueueMessage.pointing_to(row.request_id, stored))
    loaded = world.protocol().load(world.receive())
    assert not isinstance(loaded.content, bytes)
    assert (loaded.content.read(), loaded.content_type) == (LONG, "image/png")
    loaded.close()


def test_an_input_that_is_too_large_or_gone_cannot_be_read(world: World) -> None:
    location = InputLocation(bucket="inputs", key="1.png")
    world.payloads.place(location, bytes(2_000_001), "image/png")
    row = a_row(world.clock())
    send(world, row, QueueMessage.reading(row.request_id, location))
    with pytest.raises(InputUnreadableError, match="2000001 bytes are more than 2000000"):
        world.protocol().load(world.receive())

    small = world.payloads.put(row.request_id, b"1", "image/png")
    world.payloads.remove(small)
    gone = QueueMessage.pointing_to(row.request_id, small)
    world.queue.send(gone, priority=1, tenant="acme")
    with pytest.raises(InputUnreadableError, match="has gone"):
        world.protocol().load(world.receive(priority=1))
