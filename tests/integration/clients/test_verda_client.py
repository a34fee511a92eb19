"""The vendor's own client, unmodified."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from verda.inference_client import (  # type: ignore[import-untyped]  # has no types
    AsyncStatus,
    InferenceClient,
    InferenceClientError,
)

from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.endings import Endings, worker_died
from tests.integration.clients.conftest import LARGE, Stack

pytestmark = pytest.mark.integration

PROBE = {"inputs": "probe"}
ORDER = [status.value for status in AsyncStatus]


@pytest.fixture
def client(working: Stack) -> Iterator[InferenceClient]:
    with working.client() as client:
        yield client


@pytest.fixture
def idle_client(stack: Stack) -> Iterator[InferenceClient]:
    """Return a client of a deployment without a worker."""
    with stack.client() as client:
        yield client


def followed(execution: Any) -> list[dict[str, Any]]:
    """Ask until the execution is completed; return all answers."""
    answers = [execution.status_json()]
    while execution.status() != AsyncStatus.Completed:
        answers.append(execution.status_json())
    return answers


@pytest.mark.spec("datacrunch", 1)
@pytest.mark.parametrize("path", ["", "v1/completions", "/v1/completions"])
def test_a_synchronous_call_hears_the_container(client: InferenceClient, path: str) -> None:
    heard = client.run_sync(PROBE, path=path)
    assert heard.status_code == 200
    assert heard.output()["body"] == PROBE
    assert heard.output()["path"] == f"/{path.strip('/')}"


@pytest.mark.spec("datacrunch", 1)
def test_an_unknown_preference_changes_nothing(client: InferenceClient) -> None:
    heard = client.run_sync(PROBE, headers={"Prefer": "return=minimal"}).output()
    assert heard["body"] == PROBE
    assert heard["headers"]["Prefer"] == "return=minimal"


@pytest.mark.spec("datacrunch", 2)
def test_an_asynchronous_call_is_followed_to_its_result(
    client: InferenceClient, working: Stack
) -> None:
    execution = client.run(PROBE, path="held")
    assert working.started.wait(timeout=30)
    assert execution.status_json() == {"Id": execution.id, "Status": "Inference", "Error": None}
    assert requests.get(
        f"{client.base_domain}/result/{client.deployment_name}",
        headers=client.global_headers | {"X-Inference-Id": execution.id},
        timeout=30,
    ).json() == {"error": "result not found"}
    working.release.set()

    seen = [ORDER.index(answer["Status"]) for answer in followed(execution)]
    assert seen == sorted(seen)
    assert execution.result()["body"] == PROBE
    assert execution.result() == execution.output()
    assert "Prefer" not in execution.result()["headers"]


@pytest.mark.spec("datacrunch", 3)
def test_the_envelope_names_id_status_and_result(client: InferenceClient) -> None:
    headers = {"Prefer": "respond-async", "X-Inference-Id": "probe-id-1"}
    answer = client.post("", json=PROBE, headers=headers)
    body, name = answer.json(), client.deployment_name
    assert answer.status_code == 202
    assert body["Id"] == answer.headers["X-Inference-Id"] == "probe-id-1"
    assert (body["StatusPath"], body["ResultPath"]) == (f"/status/{name}", f"/result/{name}")
    assert answer.headers["Location"].endswith(body["ResultPath"])
    assert answer.headers["Location"] == f"/containers/result/{name}"


@pytest.mark.spec("datacrunch", 4)
def test_fire_and_forget_hears_nothing(client: InferenceClient) -> None:
    assert client.run(PROBE, no_response=True) is None
    answer = client.post("", json=PROBE, headers={"Prefer": "respond-async-proxy"})
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.spec("datacrunch", 4, 8)
def test_container_mode_hears_the_container(client: InferenceClient) -> None:
    heard = client.run_sync(PROBE, headers={"Prefer": "respond-async-container"})
    assert "StatusPath" not in heard.output(is_text=True)
    assert heard.output()["headers"]["Prefer"] == "respond-async"


@pytest.mark.spec("datacrunch", 5)
def test_wrong_keys_are_refused_everywhere(client: InferenceClient) -> None:
    with (
        InferenceClient("wrong", client.endpoint_base_url) as stranger,
        pytest.raises(InferenceClientError, match="401"),
    ):
        stranger.run(PROBE)
    inference_id = client.run(PROBE).id
    for kind in ("status", "result"):
        url = f"{client.base_domain}/{kind}/{client.deployment_name}"
        headers = {"Authorization": "Bearer wrong", "X-Inference-Id": inference_id}
        assert requests.get(url, headers=headers, timeout=30).status_code == 401


@pytest.mark.spec("datacrunch", 5)
@pytest.mark.parametrize("kind", ["status", "result"])
@pytest.mark.parametrize(("asked", "status"), [({}, 400), ({"X-Inference-Id": "no-such-id"}, 404)])
def test_unknown_and_missing_ids_are_the_callers_mistake(
    client: InferenceClient, kind: str, asked: dict[str, str], status: int
) -> None:
    url = f"{client.base_domain}/{kind}/{client.deployment_name}"
    answer = requests.get(url, headers=client.global_headers | asked, timeout=30)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_an_unknown_deployment_is_an_error_of_the_client(working: Stack) -> None:
    with working.client(name="nope") as client, pytest.raises(InferenceClientError, match="404"):
        client.run(PROBE)


def test_a_body_too_large_is_an_error_of_the_client(client: InferenceClient) -> None:
    with pytest.raises(InferenceClientError, match="413"):
        client.run({"inputs": "x" * 1_000})


@pytest.mark.spec("datacrunch", 6)
def test_health_reaches_the_container(client: InferenceClient) -> None:
    assert client.health().content == b"fine"


@pytest.mark.spec("datacrunch", 7)
def test_a_failing_container_is_completed_with_its_error(client: InferenceClient) -> None:
    execution = client.run(PROBE, path="fails")
    last = followed(execution)[-1]
    assert last["Status"] == "Completed"
    assert "out of memory" in last["Error"]
    assert execution.result() == {"result": "out of memory"}
    with pytest.raises(InferenceClientError, match="500"):
        client.run_sync(PROBE, path="fails")


@pytest.mark.spec("datacrunch", 7)
def test_an_expired_call_is_completed_with_an_error(
    idle_client: InferenceClient, stack: Stack
) -> None:
    execution = idle_client.run(PROBE)
    assert execution.status_json()["Status"] == "Queue"
    stack.world.clock.advance(601)
    endings = Endings(requests=stack.world.requests, results=stack.world.results)
    assert endings.expire(stack.world.row(execution.id))
    last = execution.status_json()
    assert (last["Status"], bool(last["Error"])) == ("Completed", True)
    assert list(execution.result()) == ["error"]


@pytest.mark.spec("datacrunch", 7)
def test_a_lost_replica_is_completed_with_an_error(
    idle_client: InferenceClient, stack: Stack
) -> None:
    execution, world = idle_client.run(PROBE), stack.world
    for _ in range(3):
        request = world.requests.claim(RequestId(execution.id), "lost", 30)
        world.clock.advance(31)
        assert execution.status_json()["Status"] == "Inference"
    world.clock.advance(60)  # others end a request only a minute after its lease
    endings = Endings(requests=world.requests, results=world.results)
    assert endings.give_up(request, worker_died(request))
    last = execution.status_json()
    assert (last["Status"], bool(last["Error"])) == ("Completed", True)
    assert list(execution.result()) == ["error"]


@pytest.mark.spec("datacrunch", 8)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_method_path_query_and_body_pass_unchanged(client: InferenceClient, method: str) -> None:
    body = {} if method in {"get", "delete"} else {"json": PROBE}
    answer = getattr(client, method)(
        "v1/a%20b%2Fc/", params={"a": ["1", "é", ""]}, headers={"X-Mine": "1"}, **body
    )
    heard = answer.json()
    assert heard["method"] == method.upper()
    assert heard["path"] == "/v1/a%20b%2Fc/"
    assert heard["query"] == "a=1&a=%C3%A9&a="
    assert heard["headers"]["x-mine"] == "1"
    assert heard["body"] == (PROBE if body else None)


@pytest.mark.parametrize("method", ["head", "options"])
def test_methods_without_a_body_pass_too(client: InferenceClient, method: str) -> None:
    assert getattr(client, method)("health").status_code == 200


@pytest.mark.spec("datacrunch", 10)
def test_another_tenant_finds_nothing_even_under_an_equal_id(
    client: InferenceClient, working: Stack
) -> None:
    headers = {"Prefer": "respond-async", "X-Inference-Id": "equal"}
    client.post("", json={"inputs": "mine"}, headers=headers)
    with working.client("other") as other:
        url = f"{other.base_domain}/%s/{other.deployment_name}"
        asked = other.global_headers | {"X-Inference-Id": "equal"}
        for kind in ("status", "result"):
            assert requests.get(url % kind, headers=asked, timeout=30).status_code == 404
        theirs = other.run({"inputs": "theirs"}, headers={"X-Inference-Id": "equal"})
        followed(theirs)
        assert theirs.result()["body"] == {"inputs": "theirs"}
    mine = requests.get(
        url % "result", headers=client.global_headers | {"X-Inference-Id": "equal"}, timeout=30
    )
    assert mine.json()["body"] == {"inputs": "mine"}


def test_a_large_result_is_followed_to_s3_without_the_key(client: InferenceClient) -> None:
    assert client.run_sync(PROBE, path="large").output() == "x" * LARGE
    execution = client.run(PROBE, path="large")
    followed(execution)
    assert execution.result() == "x" * LARGE


def test_whoever_stops_waiting_finds_the_result_later(
    client: InferenceClient, working: Stack
) -> None:
    answer = client.post("held", json=PROBE, headers={"Prefer": "wait=0"})
    assert answer.status_code == 202
    working.release.set()
    again = client.post("held", json=PROBE, headers={"X-Inference-Id": "unrelated"})
    assert again.json()["body"] == PROBE
    url = f"{client.base_domain}/result/{client.deployment_name}"
    asked = client.global_headers | {"X-Inference-Id": answer.json()["Id"]}
    assert requests.get(url, headers=asked, timeout=30).json()["body"] == PROBE


def test_a_failure_of_ours_keeps_its_words(idle_client: InferenceClient, stack: Stack) -> None:
    execution = idle_client.run(PROBE)
    fault = Fault(code=FaultCode.INTERNAL_SERVER_ERROR, message="The message was lost.")
    endings = Endings(requests=stack.world.requests, results=stack.world.results)
    assert endings.give_up(stack.world.row(execution.id), fault)
    assert execution.result() == {"error": "INTERNAL_SERVER_ERROR: The message was lost."}
