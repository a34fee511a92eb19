"""Submitting over HTTP."""

import json
from typing import Any

import pytest

from functions.intake.admission import Admission
from functions.intake.routes import create_app
from functions.intake.service import IntakeService
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.webhook_url import WebhookRules
from tests.unit.functions.containers import container_calls
from tests.unit.functions.events import proxy_event
from tests.unit.functions.intake.invocations import invocations
from tests.unit.functions.world import World

PRODUCTION = "/models/ocr/production/async_predict"
MALFORMED, TOO_LARGE = (400, "client_error"), (413, "payload_too_large")
BODY = '{"model_input": {"secret": "é"}}'


class Client:
    """Calls the routes as API Gateway does."""

    def __init__(self, world: World, admission: Admission | None = None) -> None:
        service = IntakeService(
            catalog=world.catalog,
            requests=world.requests,
            payloads=world.payloads,
            queue_of=world.queue_of,
            clock=world.clock,
            admission=admission,
        )
        self._app = create_app(
            service,
            container_calls(world, service),
            invocations(world, service),
            max_payload_bytes=1_000,
            webhook_rules=WebhookRules(),
            count=world.count,
        )

    def post(self, path: str = PRODUCTION, body: str | bytes | None = BODY, **event: Any) -> Any:
        """Return status, parsed body and headers of the answer."""
        answer = self._app.serve(proxy_event("POST", path, body, **event))
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return answer["statusCode"], json.loads(answer["body"]), headers


@pytest.fixture
def client(world: World) -> Client:
    return Client(world)


@pytest.mark.spec("baseten", 3)
def test_a_submission_is_answered_with_its_id(client: Client, world: World) -> None:
    status, body, headers = client.post()
    assert (status, list(body)) == (201, ["request_id"])
    assert headers["X-BASETEN-REQUEST-ID"] == body["request_id"]
    assert headers["Content-Type"] == "application/json"
    assert world.row(body["request_id"]).tenant == "acme"
    assert world.counted == {"Calls": 1, "RequestsAccepted": 1}


@pytest.mark.parametrize(
    ("path", "host", "deployment_id"),
    [
        ("/models/ocr/production/async_predict", None, "ocr-1"),
        ("/models/ocr/environments/staging/async_predict", None, "ocr-2"),
        ("/models/ocr/deployment/ocr-2/async_predict", None, "ocr-2"),
        ("/production/async_predict", "model-ocr.api.example.com", "ocr-1"),
        ("/environments/staging/async_predict", "model-ocr.api.example.com", "ocr-2"),
        ("/deployment/ocr-2/async_predict", "model-ocr.api.example.com", "ocr-2"),
        ("/async_predict", "model-ocr-staging.api.example.com", "ocr-2"),
        ("/models/ocr/production/async_predict", "model-other.api.example.com", "ocr-1"),
    ],
)
def test_every_form_of_address_leads_to_its_deployment(
    client: Client, world: World, path: str, host: str | None, deployment_id: str
) -> None:
    status, body, _ = client.post(path, host=host)
    assert status == 201
    assert world.row(body["request_id"]).deployment_id == deployment_id


@pytest.mark.spec("baseten", 8, 9)
@pytest.mark.parametrize(
    ("path", "host", "says"),
    [
        ("/models/nope/production/async_predict", None, "model nope does not exist"),
        ("/models/ocr/development/async_predict", None, "model ocr has no environment development"),
        ("/models/ocr/environments/x/async_predict", None, "model ocr has no environment x"),
        ("/models/ocr/deployment/x/async_predict", None, "model ocr has no deployment x"),
        ("/async_predict", None, "the address names no model"),
        ("/production/async_predict", "model-ocr-staging.api.example.com", "leave out"),
    ],
)
def test_an_address_that_leads_nowhere_is_404(
    client: Client, path: str, host: str | None, says: str
) -> None:
    status, body, _ = client.post(path, host=host)
    assert (status, body["error_code"]) == (404, "model_does_not_exist")
    assert says in body["error"]


@pytest.mark.spec("baseten", 4, 6)
@pytest.mark.parametrize(
    ("body", "expected", "says"),
    [
        (None, MALFORMED, "Invalid JSON"),
        ("{", MALFORMED, "Invalid JSON"),
        ("{}", MALFORMED, "model_input: Field required"),
        ('{"model_input": 1, "priority": 3}', MALFORMED, "priority: "),
        ("x" * 1_001, TOO_LARGE, "1001 bytes exceeds maximum size of 1000 bytes"),
        ("é" * 501, TOO_LARGE, "1002 bytes exceeds"),
        (b"\xff" * 1_001, TOO_LARGE, "1001 bytes exceeds"),
    ],
)
def test_a_bad_body_is_refused_by_name(
    client: Client, world: World, body: str | bytes | None, expected: tuple[int, str], says: str
) -> None:
    status, answer, _ = client.post(body=body)
    assert (status, answer["error_code"]) == expected
    assert says in answer["error"]
    assert world.counted == {"Calls": 1, "CallsRefused": 1}


def test_a_binary_body_is_as_good_as_text(client: Client) -> None:
    assert client.post(body=BODY.encode())[0] == 201


def test_a_repeat_is_answered_with_the_first_id_and_another_submission_is_409(
    client: Client,
) -> None:
    key = {"idempotency-key": "k"}
    first, again = client.post(headers=key), client.post(headers=key)
    assert first[1] == again[1]
    status, body, _ = client.post(body='{"model_input": 2}', headers=key)
    assert status == 409
    assert first[1]["request_id"] in body["error"]


def test_a_caller_is_told_to_come_again(client: Client, world: World) -> None:
    world.faults.fail("queue.send", UnavailableError("send", "throttled"))
    status, body, headers = client.post()
    assert (status, headers["Retry-After"]) == (503, "1")
    assert body["error_code"] == "model_unavailable"


def test_no_input_reaches_the_log(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.post()
    client.post(body='{"model_input": 1, "priority": "my secret"}')
    assert "request accepted" in log.text
    assert "call refused" in log.text
    assert "secret" not in log.text


def test_a_tenant_over_its_limit_is_answered_429_and_nothing_is_accepted(world: World) -> None:
    limits = Admission(rate=None, requests=world.requests, outstanding_limit=1, clock=world.clock)
    client = Client(world, limits)
    assert client.post()[0] == 201

    status, body, headers = client.post()
    assert (status, body["error_code"]) == (429, "rate_limited")
    assert int(headers["Retry-After"]) > 0
    assert len(world.waiting()) == 1
