"""Calling containers, waited for or not."""

from datetime import timedelta

import pytest

from penstock.contracts.errors import UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall, Dialect
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import AsyncRequest, RequestState, RetryPolicy
from tests.unit.functions.containers import Answered, Gateway, work
from tests.unit.functions.events import proxy_event
from tests.unit.functions.world import World

OCR = "/containers/ocr"
ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


def answering(gateway: Gateway, answered: Answered) -> None:
    """Let a container answer at the first pause of a call that waits."""
    gateway.while_waiting = lambda: work(gateway.world, lambda *_: answered)


def the_row(world: World, priority: int) -> AsyncRequest:
    (message,) = world.waiting(priority=priority)
    return world.row(message.request_id)


def test_respond_async_is_answered_with_the_envelope(gateway: Gateway, world: World) -> None:
    reply = gateway.call("POST", OCR, "{}", headers=ASYNC)
    request_id = the_row(world, priority=1).request_id
    envelope = {"Id": request_id, "StatusPath": "/status/ocr", "ResultPath": "/result/ocr"}
    assert (reply.status, reply.json) == (202, envelope)
    assert reply.headers["X-Inference-Id"] == request_id
    assert reply.headers["Preference-Applied"] == "respond-async"
    assert reply.headers["Vary"] == "Prefer"
    assert reply.headers["Content-Type"] == "application/json"
    assert gateway.waited == []
    assert world.counted == {"Calls": 1, "RequestsAccepted": 1}


@pytest.mark.parametrize(
    ("host", "location"),
    [
        (None, "/live/containers/result/ocr"),
        ("api.example.com", "/containers/result/ocr"),
    ],
)
def test_the_location_has_the_stage_only_where_the_caller_wrote_it(
    gateway: Gateway, host: str | None, location: str
) -> None:
    reply = gateway.call("POST", f"{OCR}/v1/x", headers=ASYNC, host=host)
    assert reply.headers["Location"] == location


def test_the_proxy_answers_nothing_but_202(gateway: Gateway, world: World) -> None:
    reply = gateway.call("POST", OCR, "{}", headers={"Prefer": "respond-async-proxy"})
    assert (reply.status, reply.body) == (202, b"")
    assert reply.headers["Preference-Applied"] == "respond-async-proxy"
    assert not {"Content-Type", "Location"} & set(reply.headers)
    assert the_row(world, priority=1).state is RequestState.QUEUED


def test_without_preference_the_container_itself_is_heard(gateway: Gateway, world: World) -> None:
    answering(gateway, Answered(b"<p>hi</p>", "text/html; charset=utf-8", 203))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.status, reply.body) == (203, b"<p>hi</p>")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Vary"] == "Prefer"
    assert "Preference-Applied" not in reply.headers
    assert world.row(reply.headers["X-Inference-Id"]).priority == 0


@pytest.mark.spec("datacrunch", 8)
@pytest.mark.parametrize(
    ("preferred", "received"),
    [
        ({}, None),
        ({"Prefer": "return=minimal, wait=9"}, "return=minimal"),
        ({"Prefer": "respond-async-container"}, "respond-async"),
    ],
)
def test_the_container_learns_what_concerns_it(
    gateway: Gateway, preferred: dict[str, str], received: str | None
) -> None:
    heard: list[str | None] = []

    def container(call: ContainerCall, _message: QueueMessage) -> Answered:
        heard.append(call.headers.get("Prefer"))
        return Answered(b"own")

    gateway.while_waiting = lambda: work(gateway.world, container)
    reply = gateway.call("POST", OCR, "{}", headers=preferred)
    assert (reply.status, reply.body, heard) == (200, b"own", [received])


@pytest.mark.spec("datacrunch", 8)
@pytest.mark.parametrize(
    ("preferred", "received"),
    [("respond-async, return=minimal", None), ("respond-async-proxy", "respond-async")],
)
def test_so_does_the_container_of_a_call_that_nobody_waits_for(
    gateway: Gateway, world: World, preferred: str, received: str | None
) -> None:
    gateway.call("POST", OCR, "{}", headers={"Prefer": preferred})
    (message,) = world.waiting(priority=1)
    assert message.call is not None
    assert message.call.headers.get("Prefer") == received


def test_whoever_waits_too_long_is_told_where_to_ask(gateway: Gateway, world: World) -> None:
    reply = gateway.call("POST", OCR, "{}")
    assert sum(gateway.waited) == pytest.approx(25)
    request = the_row(world, priority=0)
    assert (reply.status, reply.json["Id"]) == (202, request.request_id)
    assert reply.headers["Location"].endswith("/result/ocr")
    assert request.state is RequestState.QUEUED


def test_wait_says_for_how_long(gateway: Gateway) -> None:
    reply = gateway.call("POST", OCR, headers={"Prefer": "wait=3"})
    assert (reply.status, reply.headers["Preference-Applied"]) == (202, "wait=3")
    assert sum(gateway.waited) == pytest.approx(3)


def test_wait_makes_respond_async_wait(gateway: Gateway, world: World) -> None:
    answering(gateway, Answered(b"early"))
    reply = gateway.call("POST", OCR, "{}", headers={"Prefer": "respond-async, wait=3"})
    assert (reply.status, reply.body) == (200, b"early")
    assert reply.headers["Preference-Applied"] == "respond-async, wait=3"
    assert world.row(reply.headers["X-Inference-Id"]).priority == 0


def test_preferences_may_come_in_several_headers(gateway: Gateway) -> None:
    event = proxy_event("POST", OCR, headers={"Prefer": "respond-async"})
    event["multiValueHeaders"]["Prefer"] = ["respond-async", "return=minimal"]
    event["headers"]["Prefer"] = "return=minimal"  # API Gateway keeps the last one here
    assert gateway.resolve(event).status == 202
    assert gateway.waited == []


def test_a_call_keeps_what_the_dialect_promises(gateway: Gateway, world: World) -> None:
    gateway.call("POST", OCR, "{}", headers=ASYNC)
    row = the_row(world, priority=1)
    assert row.dialect is Dialect.DATACRUNCH
    assert row.retry == RetryPolicy(max_attempts=3, retries_answers=False)
    assert row.deadline_at - row.created_at == timedelta(seconds=600)


@pytest.mark.parametrize("content_type", ["application/json", "image/png"])
def test_a_binary_answer_arrives_as_it_is(gateway: Gateway, content_type: str) -> None:
    answering(gateway, Answered(b"\xff\xd8\x00", content_type))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.body, reply.headers["Content-Type"]) == (b"\xff\xd8\x00", content_type)


def test_a_large_answer_lies_elsewhere(gateway: Gateway) -> None:
    answering(gateway, Answered(b"x" * 101, "text/plain"))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.status, reply.body) == (303, b"")
    assert reply.headers["Location"].startswith("https://results.invalid/results/")


def test_a_containers_error_is_its_own(gateway: Gateway) -> None:
    answering(gateway, Answered(b"I'm a teapot", "text/plain", 418))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.status, reply.body) == (418, b"I'm a teapot")
    assert reply.headers["Content-Type"] == "text/plain"


def test_an_error_too_large_to_travel_keeps_its_status(gateway: Gateway) -> None:
    answering(gateway, Answered(b"x" * 101, "text/plain", 500))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.status, list(reply.json)) == (500, ["error"])


def test_an_empty_answer_stays_empty(gateway: Gateway) -> None:
    answering(gateway, Answered(b"", "application/octet-stream", 204))
    reply = gateway.call("DELETE", f"{OCR}/cache")
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize(("preferred", "status"), [({}, 200), (ASYNC, 202)])
def test_head_is_answered_without_a_body(
    gateway: Gateway, preferred: dict[str, str], status: int
) -> None:
    answering(gateway, Answered(b"not for HEAD"))
    reply = gateway.call("HEAD", f"{OCR}/health", headers=preferred)
    assert (reply.status, reply.body) == (status, b"")


def test_a_request_that_expires_while_it_is_waited_for_is_a_timeout(
    gateway: Gateway, world: World
) -> None:
    def expire() -> None:
        world.clock.advance(601)
        fault = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="Not started in time.")
        world.requests.expire(the_row(world, priority=0).request_id, fault)

    gateway.while_waiting = expire
    reply = gateway.call("POST", OCR, "{}")
    assert reply.status == 504
    assert reply.json == {"error": "MODEL_UNAVAILABLE: Not started in time."}


def test_an_accepted_request_is_not_lost_when_its_row_cannot_be_read(
    gateway: Gateway, world: World
) -> None:
    world.faults.fail("requests.find", UnavailableError("find", "throttled"))
    reply = gateway.call("POST", OCR, "{}")
    assert (reply.status, reply.json["Id"]) == (202, the_row(world, priority=0).request_id)
    assert world.faults.pending == []
