"""What a submission looks like on the wire."""

import json
from typing import Any

import httpx
import pytest

from penstock.client import InferenceRetryConfig
from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.baseten import AsyncPredict
from tests.unit.client.api import KEY, URL, accepted, open_api


def sent_body(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def test_a_submission_carries_the_input_and_the_key() -> None:
    client, api = open_api(accepted())

    handle = client.submit("ocr", {"image": "aGk="})

    assert handle.request_id == "r1"
    (request,) = api.asked
    assert str(request.url) == f"{URL}/models/ocr/production/async_predict"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert sent_body(request) == {"model_input": {"image": "aGk="}}


def test_every_option_reaches_the_field_the_api_knows() -> None:
    client, api = open_api(accepted())

    client.submit(
        "ocr",
        [1],
        priority=2,
        webhook="https://hooks.example.com/done",
        max_time_in_queue_seconds=30,
        retry=InferenceRetryConfig(max_attempts=1),
    )

    submitted = AsyncPredict.model_validate(sent_body(api.asked[0]))
    assert submitted.model_input == [1]
    assert submitted.priority == 2
    assert submitted.webhook_endpoint == "https://hooks.example.com/done"
    assert submitted.max_time_in_queue_seconds == 30
    assert submitted.inference_retry_config == InferenceRetryConfig(max_attempts=1)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, "/models/ocr/production/async_predict"),
        ({"environment": "production"}, "/models/ocr/production/async_predict"),
        ({"environment": "development"}, "/models/ocr/development/async_predict"),
        ({"environment": "staging"}, "/models/ocr/environments/staging/async_predict"),
        ({"deployment": "d/1"}, "/models/ocr/deployment/d%2F1/async_predict"),
    ],
)
def test_a_target_has_its_path(options: dict[str, Any], path: str) -> None:
    client, api = open_api(accepted())

    client.submit("ocr", None, **options)

    assert api.asked[0].url.raw_path.decode() == path


def test_environment_and_deployment_exclude_each_other() -> None:
    client, _ = open_api(accepted())

    with pytest.raises(InvalidSubmissionError, match="not both"):
        client.submit("ocr", None, environment="staging", deployment="d1")


@pytest.mark.parametrize("model_input", [float("nan"), [float("inf")], "\ud800"])
def test_what_json_cannot_say_is_refused_before_it_is_sent(model_input: object) -> None:
    client, api = open_api(accepted())

    with pytest.raises(InvalidSubmissionError, match="cannot be sent"):
        client.submit("ocr", model_input)

    assert api.asked == []


def test_each_submission_has_a_fresh_idempotency_key() -> None:
    client, api = open_api(accepted())

    client.submit("ocr", None)
    client.submit("ocr", None)

    first, second = (request.headers["idempotency-key"] for request in api.asked)
    assert first != second


def test_a_given_idempotency_key_is_kept() -> None:
    client, api = open_api(accepted())

    client.submit("ocr", None, idempotency_key="page-7")

    assert api.asked[0].headers["idempotency-key"] == "page-7"


@pytest.mark.usefixtures("pauses")
def test_a_repeated_submission_carries_the_same_idempotency_key() -> None:
    client, api = open_api(httpx.ReadTimeout("slow"), httpx.Response(503), accepted())

    client.submit("ocr", None)

    assert len({request.headers["idempotency-key"] for request in api.asked}) == 1
    assert len(api.asked) == 3
