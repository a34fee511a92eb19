"""The numbered checks of a server compatible with DataCrunch/Verda containers."""

from typing import Any

import pytest
import requests
from verda.inference_client import (  # type: ignore[import-untyped]  # has no types
    AsyncStatus,
    InferenceClient,
    InferenceClientError,
)

from tests.e2e.clients.conftest import MAX_PAYLOAD_BYTES, Clients
from tests.e2e.stack import wait_until

pytestmark = pytest.mark.e2e


def _followed(execution: Any) -> list[dict[str, Any]]:
    """Ask until it is completed, as `status()` only says what was heard last; return all heard."""
    heard: list[dict[str, Any]] = []

    def is_completed() -> bool:
        heard.append(execution.status_json())
        return bool(execution.status() == AsyncStatus.Completed)

    wait_until(is_completed, 60, "the execution")
    return heard


@pytest.fixture(scope="module")
def web(clients: Clients) -> InferenceClient:
    client = InferenceClient(clients.key, f"{clients.url}/containers/web")
    client.run_sync({"inputs": "warm"})
    return client


@pytest.mark.spec("datacrunch", 1)
def test_a_synchronous_call_is_answered_by_the_container(web: InferenceClient) -> None:
    assert "probe" in str(web.run_sync({"inputs": "probe"}).output())
    unknown = {"Prefer": "return=minimal"}
    assert "probe" in str(web.run_sync({"inputs": "probe"}, headers=unknown).output())


@pytest.mark.spec("datacrunch", 1, 8)
def test_a_sub_path_and_a_query_reach_the_container_as_written(web: InferenceClient) -> None:
    seen = web.run_sync({"inputs": "probe"}, path="/v1/a%20b?x=1&x=2&y=%2F").output()
    assert seen["path"] == "/v1/a%20b"
    assert seen["query"] == "x=1&x=2&y=%2F"
    assert seen["method"] == "POST"


@pytest.mark.spec("datacrunch", 2)
def test_an_asynchronous_call_goes_through_the_published_states(web: InferenceClient) -> None:
    execution = web.run({"inputs": "probe"})
    heard, names = _followed(execution), [status.value for status in AsyncStatus]
    seen = [names.index(said["Status"]) for said in heard]
    assert seen == sorted(seen)
    assert {said["Id"] for said in heard} == {execution.id}
    assert "probe" in str(execution.result())
    assert execution.result() == execution.output()
    assert set(execution.result()) != {"result"}


@pytest.mark.spec("datacrunch", 3)
def test_the_envelope_has_its_wire_form(web: InferenceClient) -> None:
    headers = {"Prefer": "respond-async", "X-Inference-Id": "probe-id-1"}
    answer = web.post("", json={"inputs": "probe"}, headers=headers, timeout_seconds=60)
    body, name = answer.json(), web.deployment_name
    assert answer.status_code == 202
    assert body["Id"] == answer.headers["X-Inference-Id"] == "probe-id-1"
    assert (body["StatusPath"], body["ResultPath"]) == (f"/status/{name}", f"/result/{name}")
    assert answer.headers["Location"].endswith(body["ResultPath"])


@pytest.mark.spec("datacrunch", 4)
def test_fire_and_forget_answers_nothing_else(web: InferenceClient) -> None:
    assert web.run({"inputs": "probe"}, no_response=True) is None
    headers = {"Prefer": "respond-async-proxy"}
    answer = web.post("", json={"inputs": "probe"}, headers=headers, timeout_seconds=60)
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.spec("datacrunch", 4, 8)
def test_container_mode_relays_the_containers_own_answer(web: InferenceClient) -> None:
    headers = {"Prefer": "respond-async-container"}
    seen = web.run_sync({"inputs": "probe"}, path="/seen", headers=headers).output()
    assert "StatusPath" not in seen
    headers_seen = {name.lower(): value for name, value in seen["headers"].items()}
    assert headers_seen["prefer"] == "respond-async"


@pytest.mark.spec("datacrunch", 7)
def test_a_failing_container_is_completed_with_its_error(web: InferenceClient) -> None:
    execution = web.run({"inputs": "probe"}, path="/v1/x?status=418")
    assert "418" in _followed(execution)[-1]["Error"]
    assert execution.result() == {"message": "asked to answer 418"}
    with pytest.raises(InferenceClientError, match="418"):
        web.run_sync({"inputs": "probe"}, path="/v1/x?status=418")


@pytest.mark.spec("datacrunch", 5)
def test_keys_and_ids_are_checked(clients: Clients, web: InferenceClient) -> None:
    stranger = InferenceClient("wrong", f"{clients.url}/containers/web")
    with pytest.raises(InferenceClientError, match=r"401|403"):
        stranger.run({"inputs": "probe"})
    inference_id = web.run({"inputs": "probe"}).id
    for kind in ("status", "result"):
        url = f"{web.base_domain}/{kind}/{web.deployment_name}"
        wrong = {"Authorization": "Bearer wrong", "X-Inference-Id": inference_id}
        assert requests.get(url, headers=wrong, timeout=60).status_code in {401, 403}
        mine = {"Authorization": f"Bearer {clients.key}"}
        assert requests.get(url, headers=mine, timeout=60).status_code == 400
        unknown = {**mine, "X-Inference-Id": "no-such-id"}
        assert requests.get(url, headers=unknown, timeout=60).status_code == 404


@pytest.mark.spec("datacrunch", 6)
def test_health_reaches_the_containers_health_path(web: InferenceClient) -> None:
    assert web.health().status_code == 200


def test_an_unknown_deployment_is_an_error_of_the_library(clients: Clients) -> None:
    nobody = InferenceClient(clients.key, f"{clients.url}/containers/nobody")
    with pytest.raises(InferenceClientError, match="404"):
        nobody.run_sync({"inputs": "probe"})


def test_a_body_over_the_limit_is_an_error_of_the_library(web: InferenceClient) -> None:
    with pytest.raises(InferenceClientError, match="413"):
        web.run({"inputs": "x" * MAX_PAYLOAD_BYTES})


def test_an_id_that_cannot_be_one_is_an_error_of_the_library(web: InferenceClient) -> None:
    with pytest.raises(InferenceClientError, match="400"):
        web.run({"inputs": "probe"}, headers={"X-Inference-Id": "not an id"})


@pytest.mark.spec("datacrunch", 10)
def test_another_tenant_sees_nothing_even_under_an_equal_id(
    clients: Clients, web: InferenceClient
) -> None:
    headers = {"X-Inference-Id": "shared-id", "Prefer": "respond-async"}
    web.post("", json={"inputs": "mine"}, headers=headers, timeout_seconds=60)
    theirs = {
        "Authorization": f"Bearer {clients.stack.new_key('other')}",
        "X-Inference-Id": "shared-id",
    }
    for kind in ("status", "result"):
        url = f"{web.base_domain}/{kind}/{web.deployment_name}"
        assert requests.get(url, headers=theirs, timeout=60).status_code == 404
