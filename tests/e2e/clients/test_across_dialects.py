"""A request is one request, in whatever dialect somebody asks for it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.clients.conftest import ENDPOINT, Clients
from tests.e2e.stack import wait_until

pytestmark = pytest.mark.e2e

MODELS = {"baseten": "echo", "sagemaker": ENDPOINT, "datacrunch": "web"}


def _by_baseten(clients: Clients) -> str:
    return clients.stack.submit("echo", {"text": "across"})


def _by_sagemaker(clients: Clients) -> str:
    answer = clients.runtime().invoke_endpoint_async(
        EndpointName=ENDPOINT,
        Body=b'{"inputs": "across"}',
        ContentType="application/json",
        InferenceId="across-sagemaker",
    )
    inference_id: str = answer["InferenceId"]
    return inference_id


def _by_datacrunch(clients: Clients) -> str:
    headers = {"Prefer": "respond-async", "X-Inference-Id": "across-datacrunch"}
    with clients.stack.caller() as http:
        answer = http.post("/containers/web", json={"inputs": "across"}, headers=headers)
    assert answer.status_code == 202, answer.text
    inference_id: str = answer.json()["Id"]
    return inference_id


def _lookups(model: str, known_as: str) -> list[tuple[str, dict[str, str]]]:
    """Return every question for a request: addresses with headers."""
    datacrunch = {"X-Inference-Id": known_as}
    return [
        (f"/async_request/{known_as}", {}),
        (f"/async_request/{known_as}/result", {}),
        (f"/models/{model}/async_request/{known_as}", {}),
        (f"/containers/status/{model}", datacrunch),
        (f"/containers/result/{model}", datacrunch),
    ]


@pytest.mark.parametrize(
    ("dialect", "submit"),
    [("baseten", _by_baseten), ("sagemaker", _by_sagemaker), ("datacrunch", _by_datacrunch)],
    ids=list(MODELS),
)
def test_a_request_is_found_in_every_dialect_by_its_tenant_alone(
    clients: Clients, dialect: str, submit: Callable[[Clients], str]
) -> None:
    known_as, model = submit(clients), MODELS[dialect]
    with clients.stack.caller() as http:
        ended = _ended(http, known_as)
        assert ended["status"] == "SUCCEEDED"
        for name in {known_as, ended["request_id"]}:
            answers = [http.get(url, headers=headers) for url, headers in _lookups(model, name)]
            assert [answer.status_code for answer in answers] == [200] * 5
            status, result, addressed, container_status, container_result = answers
            assert status.json() == addressed.json() == ended
            assert container_status.json() == {"Id": name, "Status": "Completed", "Error": None}
            assert "across" in result.text
            assert container_result.content == result.content
            assert container_result.headers["content-type"] == "application/json"
    with clients.stack.caller(clients.stack.new_key("stranger")) as http:
        for name in {known_as, ended["request_id"]}:
            seen = [http.get(url, headers=headers) for url, headers in _lookups(model, name)]
            assert [answer.status_code for answer in seen] == [404] * 5


def test_a_cancelled_invocation_still_leaves_its_failure_object(clients: Clients) -> None:
    submitted = clients.runtime().invoke_endpoint_async(
        EndpointName=ENDPOINT,
        Body=b"{}",
        ContentType="application/json",
        CustomAttributes="sleep=10",
        InferenceId="to-be-cancelled",
    )
    with clients.stack.caller() as http:
        http.delete("/async_request/to-be-cancelled", params={"force": "true"}).raise_for_status()
        assert _ended(http, "to-be-cancelled")["status"] == "CANCELED"
    document = wait_until(
        lambda: clients.object_at(submitted["FailureLocation"]), 60, "the failure object"
    )
    assert b"cancel" in document[0].lower()
    assert clients.object_at(submitted["OutputLocation"]) is None


def test_a_chain_is_another_address_of_its_entry_model(clients: Clients) -> None:
    with clients.stack.caller() as http:
        body = {"text": "through the chain"}
        submitted = http.post("/chains/both/production/async_run_remote", json=body)
        assert submitted.status_code == 201, submitted.text
        ended = _ended(http, submitted.json()["request_id"], at="/chains/both")
        assert (ended["status"], ended["chain_id"]) == ("SUCCEEDED", "both")
        assert "model_id" not in ended
        elsewhere = http.get(f"/models/{ENDPOINT}/async_request/{ended['request_id']}")
        assert elsewhere.status_code == 404


def test_a_wake_up_starts_a_worker_and_leaves_nothing_behind(clients: Clients) -> None:
    assert not clients.stack.deployment("sleeper-v1").ready_replicas
    empty = {"num_queued_requests": 0, "num_in_progress_requests": 0}
    with clients.stack.caller() as http:
        answer = http.post("/models/sleeper/production/wake")
        assert (answer.status_code, answer.json()) == (202, {})
        wait_until(lambda: clients.stack.deployment("sleeper-v1").ready_replicas, 60, "a worker")
        queue = "/models/sleeper/production/async_queue_status"
        wait_until(lambda: empty.items() <= http.get(queue).json().items(), 60, "an empty queue")


def test_tens_of_megabytes_pass_in_and_out(clients: Clients) -> None:
    payload = b"\x00\x01penstock" * 2_000_000
    with clients.stack.caller() as http:
        place = http.post("/uploads", json={"content_type": "application/octet-stream"}).json()
        with httpx.Client(trust_env=False, timeout=60) as plain:
            put = plain.request(
                place["method"], place["url"], headers=place["headers"], content=payload
            )
        assert put.status_code == 200, put.text
        submitted = http.post(
            "/models/web/production/async_predict",
            json={"model_input_location": place["location"]},
        )
        assert submitted.status_code == 201, submitted.text
        request_id = submitted.json()["request_id"]
        assert _ended(http, request_id)["status"] == "SUCCEEDED"
        seen = http.get(f"/async_request/{request_id}/result").json()
        assert seen["body"]["size_bytes"] == len(payload)

        params = {"bytes": str(len(payload))}
        answer = http.post("/containers/web/", params=params, follow_redirects=True)
        assert (answer.status_code, len(answer.content)) == (200, len(payload))


def test_a_long_poll_answers_when_the_request_ends(clients: Clients) -> None:
    with clients.stack.caller() as http:
        assert _ended(http, clients.stack.submit("echo", {"text": "warm"}))
        request_id = clients.stack.submit("echo", {"sleep_seconds": 1})
        said = http.get(f"/async_request/{request_id}", params={"wait": 20}).json()
    assert said["status"] == "SUCCEEDED"


def _ended(http: httpx.Client, known_as: str, at: str = "") -> dict[str, Any]:
    """Return the status of a request as soon as it is final."""

    def found() -> dict[str, Any] | None:
        answer = http.get(f"{at}/async_request/{known_as}")
        assert answer.status_code == 200, answer.text
        status: dict[str, Any] = answer.json()
        return None if status["status"] in {"QUEUED", "IN_PROGRESS"} else status

    return wait_until(found, 60, f"the end of {known_as}")
