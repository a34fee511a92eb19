"""What is done for a caller when its request has ended."""

import base64
import json
import logging
from typing import Any

import pytest

from penstock.contracts.origin import Dialect
from penstock.contracts.outcome import Canceled, Failed, Fault, FaultCode, Succeeded
from penstock.contracts.request import AsyncRequest
from penstock.protocol.announcing import Announcing, is_prepared, notification_of
from tests.unit.dispatcher.conftest import World
from tests.unit.protocol.requests import ERROR_TOPIC, INVOCATION, SUCCESS_TOPIC, a_row

FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")


@pytest.fixture
def announcing(world: World) -> Announcing:
    return Announcing(results=world.results, notifier=world.notifier)


def running(world: World, **changes: Any) -> AsyncRequest:
    row = a_row(world.clock(), **changes)
    world.requests.accept(row)
    return world.requests.claim(row.request_id, "worker", 30)


def succeeded(world: World, body: bytes = b"42", **changes: Any) -> AsyncRequest:
    row = running(world, **changes)
    place = row.destination.result if row.destination else None
    result = world.results.put_result(row.request_id, body, "text/csv", place=place)
    return world.requests.finish(row, Succeeded(result=result))


def failed(world: World, document: bytes = b'{"message": "boom"}', **changes: Any) -> AsyncRequest:
    row = running(world, **changes)
    place = row.destination.failure if row.destination else None
    failure = world.results.put_failure(row.request_id, document, place=place, http_status=500)
    return world.requests.finish(row, Failed(fault=FAULT, failure=failure))


def messages(world: World) -> list[tuple[str, Any]]:
    return [(topic, json.loads(text)) for topic, text in world.notifier.sent]


def test_a_request_without_promises_costs_nothing(world: World, announcing: Announcing) -> None:
    row = succeeded(world, invocation=None, destination=None)
    assert is_prepared(row)
    assert announcing.prepare(row) == row
    assert not world.notifier.sent


@pytest.mark.spec("sagemaker", 8)
def test_a_result_is_told_to_the_callers_topic(world: World, announcing: Announcing) -> None:
    row = succeeded(world)
    announcing.prepare(row)
    ((topic, message),) = messages(world)
    assert (topic, message["invocationStatus"]) == (SUCCESS_TOPIC, "Completed")
    assert row.destination
    assert message["responseParameters"]["outputLocation"] == row.destination.result.uri


@pytest.mark.spec("sagemaker", 8)
def test_a_failure_is_told_with_the_document_its_worker_wrote(
    world: World, announcing: Announcing
) -> None:
    row = failed(world)
    announcing.prepare(row)
    ((topic, message),) = messages(world)
    assert (topic, message["invocationStatus"]) == (ERROR_TOPIC, "Failed")
    assert "server error (500)" in message["failureReason"]
    assert row.result
    assert world.results.read(row.result) == b'{"message": "boom"}'


@pytest.mark.parametrize("field", ["success_topic", "error_topic"])
def test_a_topic_that_was_not_named_hears_nothing(
    world: World, announcing: Announcing, field: str
) -> None:
    invocation = INVOCATION.model_copy(update={field: None})
    announcing.prepare(succeeded(world, invocation=invocation))
    announcing.prepare(failed(world, invocation=invocation))
    (kept,) = {"success_topic", "error_topic"} - {field}
    assert [topic for topic, _ in messages(world)] == [getattr(INVOCATION, kept)]


def test_a_cancelled_request_gets_its_document_once_and_is_told(
    world: World, announcing: Announcing
) -> None:
    row = world.requests.finish(running(world), Canceled())
    announcing.prepare(row)
    announcing.prepare(row)

    assert row.destination
    place = row.destination.failure
    stored = world.results.put_failure(row.request_id, b"another", place=place)
    assert json.loads(world.results.read(stored))["message"] == "cancelled by the caller"
    first, second = messages(world)
    assert first == second
    assert first[0] == ERROR_TOPIC
    assert first[1]["failureReason"] == "ClientError: cancelled by the caller"
    assert notification_of(row) is None


def test_a_request_that_no_worker_held_gets_its_document_after_its_end(
    world: World, announcing: Announcing
) -> None:
    waiting = a_row(world.clock())
    world.requests.accept(waiting)
    row = world.requests.give_up(waiting, FAULT)
    announcing.prepare(row)
    assert row.destination
    stored = world.results.put_failure(row.request_id, b"another", place=row.destination.failure)
    assert json.loads(world.results.read(stored))["message"] == "boom"


def test_a_document_left_by_a_lost_attempt_does_not_stay_beside_a_result(
    world: World, announcing: Announcing
) -> None:
    first = running(world)
    assert first.destination
    place = first.destination.failure
    world.results.put_failure(first.request_id, b"of a lost attempt", place=place)
    world.requests.release(first, None, counts_as_attempt=False)
    held = world.requests.claim(first.request_id, "heir", 30)
    result = world.results.put_result(held.request_id, b"42", "text/csv", place=place)
    announcing.prepare(world.requests.finish(held, Succeeded(result=result)))

    later = world.results.put_failure(first.request_id, b"new", place=place)
    assert world.results.read(later) == b"new"


def test_a_topic_that_refuses_is_logged_and_does_not_keep_the_end_from_being_announced(
    world: World, announcing: Announcing, caplog: pytest.LogCaptureFixture
) -> None:
    world.notifier.refusing.add(SUCCESS_TOPIC)
    with caplog.at_level(logging.WARNING):
        announcing.prepare(succeeded(world))
    assert "caller's topic refused" in caplog.text


def test_a_place_that_refuses_does_not_keep_an_end_from_being_announced(
    world: World, announcing: Announcing, caplog: pytest.LogCaptureFixture
) -> None:
    world.results.closed_buckets.add("callers")
    row = world.requests.finish(running(world), Canceled())
    with caplog.at_level(logging.WARNING):
        announcing.prepare(row)
    ((_, message),) = messages(world)
    own = f"s3://results/failures/{row.request_id}"
    assert message["responseParameters"]["failureLocation"] == own
    assert "failure document kept at our own place" in caplog.text


@pytest.mark.parametrize(("size", "travels"), [(128_000, True), (128_001, False)])
def test_a_body_travels_only_when_it_is_asked_for_and_small(
    world: World, announcing: Announcing, size: int, *, travels: bool
) -> None:
    asking = INVOCATION.model_copy(update={"include_response_in": ("success",)})
    announcing.prepare(succeeded(world, bytes(size), invocation=asking))
    announcing.prepare(failed(world, invocation=asking))
    announcing.prepare(succeeded(world))

    (_, asked), (_, error), (_, unasked) = messages(world)
    assert ("responseBody" in asked) is travels
    if travels:
        assert base64.b64decode(asked["responseBody"]["content"]) == bytes(size)
    assert "responseBody" not in error
    assert "responseBody" not in unasked


def test_a_result_that_its_owner_removed_is_told_without_its_body(
    world: World, announcing: Announcing
) -> None:
    asking = INVOCATION.model_copy(update={"include_response_in": ("success",)})
    row = succeeded(world, invocation=asking)
    assert row.result
    world.results.remove(row.result)
    announcing.prepare(row)
    ((_, message),) = messages(world)
    assert "responseBody" not in message


@pytest.mark.parametrize("dialect", [Dialect.BASETEN, Dialect.DATACRUNCH])
def test_subscribers_hear_of_every_other_end(world: World, dialect: Dialect) -> None:
    row = a_row(world.clock(), dialect)
    world.requests.accept(row)
    ended = world.requests.give_up(row, FAULT)
    heard = notification_of(ended)
    assert heard is not None
    assert heard.request_id == row.request_id
