import json

import httpx
import pytest

from examples.demo.webhook_receiver import WebhookReceiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

SUBMIT = "/models/echo/production/async_predict"


def test_a_request_reaches_webhook_bucket_and_status(stack: Stack) -> None:
    with WebhookReceiver(stack.signing_secrets()) as receiver, stack.caller() as http:
        request_id = stack.submit("echo", {"text": "hällo"}, webhook_endpoint=receiver.url)
        webhook = receiver.wait_for(request_id, 60)
        assert webhook is not None
        assert receiver.refusals == []
        stack.wait_for("echo", request_id, "SUCCEEDED")
        result = http.get(f"/models/echo/async_request/{request_id}/result")

    stored = stack.aws.s3.get_object(
        Bucket=stack.description.outputs.results_bucket, Key=f"results/{request_id}"
    )["Body"].read()
    assert result.content == stored
    assert json.loads(stored) == {"echo": {"text": "hällo"}, "request_id": request_id}
    assert webhook.body.data == json.loads(stored)


def test_the_status_moves_from_queued_over_in_progress_to_succeeded(stack: Stack) -> None:
    request_id = stack.submit("echo", {"sleep_seconds": 2})
    seen = [stack.status("echo", request_id)["status"]]
    while seen[-1] not in {"SUCCEEDED", "FAILED"}:
        if (now := stack.status("echo", request_id)["status"]) != seen[-1]:
            seen.append(now)

    assert seen[-2:] == ["IN_PROGRESS", "SUCCEEDED"]
    assert seen[0] in {"QUEUED", "IN_PROGRESS"}  # a warm worker is fast


def test_a_large_result_is_fetched_from_the_bucket(stack: Stack) -> None:
    text = "x" * 200_000
    request_id = stack.submit("echo", [text, text[:50_000]])
    stack.wait_for("echo", request_id, "SUCCEEDED")

    with stack.caller() as http:
        answer = http.get(f"/models/echo/async_request/{request_id}/result")
        if answer.status_code == 303:
            answer = httpx.get(answer.headers["location"], trust_env=False)
    assert answer.json()["echo"] == [text, text[:50_000]]


def test_a_host_name_may_name_the_model(stack: Stack) -> None:
    with stack.caller() as http:
        answer = http.post(
            "/async_predict",
            headers={"Host": "model-echo.api.localhost"},
            json={"model_input": "by host"},
        )

    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["unknown1.secret", "no-key-at-all"])
def test_a_wrong_key_is_refused(stack: Stack, key: str) -> None:
    with stack.caller(key) as http:
        assert http.post(SUBMIT, json={"model_input": 1}).status_code in {401, 403}


def test_an_unknown_model_is_not_found(stack: Stack) -> None:
    with stack.caller() as http:
        answer = http.post("/models/nobody/production/async_predict", json={"model_input": 1})

    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]


def test_a_bad_field_is_named(stack: Stack) -> None:
    with stack.caller() as http:
        answer = http.post(SUBMIT, json={"model_input": 1, "priority": 7})

    assert answer.status_code == 400
    assert "priority" in answer.json()["error"]


def test_a_body_over_the_limit_is_refused(stack: Stack) -> None:
    with stack.caller() as http:
        answer = http.post(SUBMIT, json={"model_input": "x" * 262_144})

    assert answer.status_code == 413


def test_another_tenants_request_does_not_exist(stack: Stack) -> None:
    request_id = stack.submit("echo", "mine")

    with stack.caller(stack.new_key("other")) as http:
        status = http.get(f"/models/echo/async_request/{request_id}")
        result = http.get(f"/models/echo/async_request/{request_id}/result")
        canceled = http.delete(f"/models/echo/async_request/{request_id}")
    assert (status.status_code, result.status_code, canceled.status_code) == (404, 404, 404)
