"""Asking about requests over HTTP."""

import base64
import json
from typing import Any

import pytest

from functions.status.routes import create_app
from functions.status.service import StatusService
from penstock.contracts.message import QueueMessage
from penstock.contracts.outcome import Failed, Fault, FaultCode
from penstock.contracts.request import AsyncRequest, RequestState
from tests.unit.functions.events import proxy_event
from tests.unit.functions.world import ACME, World

FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")


class Client:
    """Calls the routes as API Gateway does."""

    def __init__(self, world: World) -> None:
        service = StatusService(
            catalog=world.catalog,
            requests=world.requests,
            results=world.results,
            queue_of=world.queue_of,
            inline_result_bytes=20,
            result_url_seconds=900,
        )
        self._app = create_app(service, world.count)

    def answer(self, method: str, path: str, **event: Any) -> dict[str, Any]:
        """Return the answer as the function gives it."""
        return dict(self._app.serve(proxy_event(method, path, **event)))

    def call(self, method: str, path: str, **event: Any) -> Any:
        """Return status, text and headers of the answer."""
        answer = self.answer(method, path, **event)
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return answer["statusCode"], answer.get("body"), headers

    def get(self, path: str, **event: Any) -> Any:
        """Return status and parsed body."""
        status, text, _ = self.call("GET", path, **event)
        return status, json.loads(text)

    def delete(self, request: AsyncRequest, **event: Any) -> Any:
        """Return status and parsed body."""
        path = f"/models/ocr/async_request/{request.request_id}"
        status, text, _ = self.call("DELETE", path, **event)
        return status, json.loads(text)


@pytest.fixture
def client(world: World) -> Client:
    return Client(world)


def result_path(request: AsyncRequest) -> str:
    return f"/models/ocr/async_request/{request.request_id}/result"


@pytest.mark.parametrize(
    ("prefix", "host"),
    [
        ("/models/ocr", None),
        ("", "model-ocr.api.example.com"),
        ("", "model-ocr-staging.api.example.com"),
        ("", None),
    ],
)
def test_a_request_is_found_under_its_model_or_by_its_id_alone(
    client: Client, world: World, prefix: str, host: str | None
) -> None:
    row = world.accepted()
    status, body = client.get(f"{prefix}/async_request/{row.request_id}", host=host)
    assert (status, body["request_id"], body["status"]) == (200, row.request_id, "QUEUED")


@pytest.mark.parametrize(
    ("method", "suffix"), [("GET", ""), ("DELETE", ""), ("GET", "/result")], ids=str
)
def test_what_is_not_the_callers_looks_as_if_it_did_not_exist(
    client: Client, world: World, method: str, suffix: str
) -> None:
    mine = world.accepted().request_id
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"/models/ocr/async_request/{mine}{suffix}", {"tenant": "other"}),
        (f"/models/echo/async_request/{mine}{suffix}", {}),
        (f"/async_request/{mine}{suffix}", {"host": "model-echo.api.example.com"}),
        (f"/models/ocr/async_request/{'0' * 32}{suffix}", {}),
    ]
    answers = []
    for path, event in calls:
        status, text, _ = client.call(method, path, **event)
        answers.append((status, text.replace(mine, "ID").replace("0" * 32, "ID")))

    assert set(answers) == {
        (404, '{"error":"request ID does not exist","error_code":"client_error"}')
    }
    assert world.row(mine).state is RequestState.QUEUED


@pytest.mark.spec("baseten", 15)
def test_a_waiting_request_is_canceled_once_and_stays_so(client: Client, world: World) -> None:
    row = world.accepted()
    for _ in range(2):
        status, body = client.delete(row)
        assert (status, body["canceled"]) == (200, True)
    assert world.row(row.request_id).state is RequestState.CANCELED


@pytest.mark.spec("baseten", 15)
@pytest.mark.parametrize("query", [None, {"force": "false"}])
def test_a_running_request_is_left_alone(
    client: Client, world: World, query: dict[str, str] | None
) -> None:
    row = world.running()
    assert client.delete(row, query=query)[1]["canceled"] is False
    assert world.row(row.request_id) == row


def test_force_asks_a_running_request_to_stop(client: Client, world: World) -> None:
    row = world.running()
    status, body = client.delete(row, query={"force": "true"})
    assert (status, body["canceled"]) == (200, False)
    assert body["message"].startswith("Cancellation was requested; ")
    assert world.row(row.request_id).cancel_requested


def test_force_cancels_a_retry_that_waits(client: Client, world: World) -> None:
    row = world.requests.release(world.running(), FAULT, counts_as_attempt=True)
    assert client.delete(row)[1]["canceled"] is False
    assert client.delete(row, query={"force": "TRUE"})[1]["canceled"] is True


@pytest.mark.spec("baseten", 15)
def test_an_ended_request_cannot_be_canceled(client: Client, world: World) -> None:
    row = world.succeeded(b"1")
    assert client.delete(row, query={"force": "true"})[1]["canceled"] is False
    assert world.row(row.request_id) == row


def test_an_unclear_force_is_refused(client: Client, world: World) -> None:
    row = world.accepted()
    status, body = client.delete(row, query={"force": "perhaps"})
    assert (status, body["error"]) == (400, "force: must be true or false")
    assert world.row(row.request_id) == row


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_a_small_json_result_is_answered_as_the_model_wrote_it(
    client: Client, world: World, content_type: str
) -> None:
    written = '{ "a": 1.50, "é":0}'.encode()
    row = world.succeeded(written, content_type)
    status, text, headers = client.call("GET", result_path(row))
    assert (status, text.encode(), headers["Content-Type"]) == (200, written, content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"RIFF\xff\x00", "audio/wav"), (b'"\xff"', "application/json"), (b"", "text/plain")],
    ids=["not JSON", "not UTF-8", "empty"],
)
def test_a_small_result_of_any_type_is_answered_byte_by_byte(
    client: Client, world: World, body: bytes, content_type: str
) -> None:
    answer = client.answer("GET", result_path(world.succeeded(body, content_type)))
    sent = answer["body"]
    assert (base64.b64decode(sent) if answer["isBase64Encoded"] else sent.encode()) == body
    assert answer["multiValueHeaders"]["Content-Type"] == [content_type]
    assert answer["statusCode"] == 200


def test_a_large_result_is_a_redirect(client: Client, world: World) -> None:
    row = world.succeeded(b'"' + b"x" * 19 + b'"')
    status, _, headers = client.call("GET", result_path(row))
    assert status == 303
    assert headers["Location"] == (
        f"https://results.invalid/results/{row.request_id}?lifetime_seconds=900"
    )


def test_a_result_as_large_as_the_limit_is_inline(client: Client, world: World) -> None:
    row = world.succeeded(b'"' + b"x" * 18 + b'"')
    assert client.call("GET", result_path(row))[0] == 200


def test_a_request_that_has_not_ended_has_no_result_yet(client: Client, world: World) -> None:
    for row in (world.accepted(), world.running()):
        status, body = client.get(result_path(row))
        assert (status, body["error_code"]) == (409, "result_not_ready")


def test_a_failed_request_says_why_it_has_no_result(client: Client, world: World) -> None:
    row = world.requests.finish(world.running(), Failed(fault=FAULT))
    status, body = client.get(result_path(row))
    assert (status, body["error_code"]) == (409, "no_result")
    assert "it is FAILED (MODEL_PREDICT_ERROR: boom)" in body["error"]


def test_an_expired_request_says_why_it_has_no_result(client: Client, world: World) -> None:
    row = world.accepted()
    world.clock.advance(601)
    world.requests.expire(
        row.request_id, Fault(code=FaultCode.MODEL_UNAVAILABLE, message="Not started within 600 s.")
    )
    assert "within 600 s" in client.get(result_path(row))[1]["error"]


@pytest.mark.parametrize(
    ("path", "host", "counts"),
    [
        ("/models/ocr/production/async_queue_status", None, ("ocr-1", 1)),
        ("/models/ocr/environments/staging/async_queue_status", None, ("ocr-2", 0)),
        ("/async_queue_status", "model-ocr-staging.api.example.com", ("ocr-2", 0)),
    ],
)
def test_the_queue_of_an_address_is_counted(
    client: Client, world: World, path: str, host: str | None, counts: tuple[str, int]
) -> None:
    message = QueueMessage(request_id=world.accepted().request_id, text="1")
    world.queues["ocr-1"].send(message, priority=0, tenant=ACME)

    deployment_id, queued = counts
    assert client.get(path, host=host) == (
        200,
        {
            "model_id": "ocr",
            "deployment_id": deployment_id,
            "num_queued_requests": queued,
            "num_in_progress_requests": 0,
        },
    )


def test_the_queue_of_an_unknown_model_is_404(client: Client) -> None:
    status, body = client.get("/models/echo/production/async_queue_status")
    assert (status, body["error_code"]) == (404, "model_does_not_exist")
