"""Chains: other addresses of their entry deployments."""

from typing import Any

import pytest

from penstock.contracts.outcome import Succeeded
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

HOST = "chain-pages.api.example.com"
BARE = '{"pages": [1]}'
SUBMIT = "/chains/pages/production/async_run_remote"


@pytest.mark.parametrize(
    ("path", "host", "deployment_id"),
    [
        ("/production/async_run_remote", HOST, "ocr-1"),
        ("/environments/staging/async_run_remote", HOST, "ocr-2"),
        ("/deployment/ocr-2/async_run_remote", HOST, "ocr-2"),
        ("/async_run_remote", "chain-pages-staging.api.example.com", "ocr-2"),
        ("/chains/pages/production/async_run_remote", None, "ocr-1"),
        ("/chains/pages/environments/staging/async_run_remote", None, "ocr-2"),
        ("/chains/pages/deployment/ocr-2/async_run_remote", None, "ocr-2"),
    ],
)
def test_every_form_of_a_chains_address_leads_to_its_entry_deployment(
    api: Api, world: World, path: str, host: str | None, deployment_id: str
) -> None:
    reply = api.call("POST", path, BARE, host=host)
    assert reply.status == 201
    assert reply.headers["X-BASETEN-REQUEST-ID"] == reply.json["request_id"]
    row = world.row(reply.json["request_id"])
    assert (row.deployment_id, row.chain_id, row.model_id) == (deployment_id, "pages", "ocr")


def test_a_chain_without_a_development_environment_is_404(api: Api) -> None:
    reply = api.call("POST", "/development/async_run_remote", BARE, host=HOST)
    assert (reply.status, reply.json["error_code"]) == (404, "model_does_not_exist")


def test_an_unknown_chain_is_404_by_its_name(api: Api) -> None:
    reply = api.call("POST", "/chains/nope/production/async_run_remote", BARE)
    assert (reply.status, reply.json["error"]) == (404, "chain nope does not exist")


@pytest.mark.spec("baseten", 49)
@pytest.mark.parametrize("body", [BARE, '{"model_input": {"pages": [1]}, "priority": 0}'])
def test_both_body_styles_of_a_chain_reach_the_entry_model(
    api: Api, world: World, body: str
) -> None:
    assert api.call("POST", SUBMIT, body).status == 201
    (message,) = world.waiting()
    assert message.inline_payload == b'{"pages":[1]}'


@pytest.mark.spec("baseten", 12)
def test_a_chains_request_is_shown_with_the_chain_and_not_the_model(api: Api) -> None:
    request_id = api.call("POST", SUBMIT, BARE).json["request_id"]
    shown = [
        api.call("GET", f"/chains/pages/async_request/{request_id}").json,
        api.call("GET", f"/async_request/{request_id}", host=HOST).json,
    ]
    for status in shown:
        assert status["chain_id"] == "pages"
        assert "model_id" not in status
    assert api.call("GET", f"/chains/other/async_request/{request_id}").status == 404


@pytest.mark.spec("baseten", 12)
def test_a_models_request_is_shown_with_the_model_and_not_a_chain(api: Api, world: World) -> None:
    request = world.accepted()
    status = api.call("GET", f"/models/ocr/async_request/{request.request_id}").json
    assert status["model_id"] == "ocr"
    assert "chain_id" not in status
    assert api.call("GET", f"/chains/pages/async_request/{request.request_id}").status == 404


def test_a_chains_request_is_canceled_and_its_result_fetched_under_the_chain(
    api: Api, world: World
) -> None:
    def submitted() -> Any:
        return world.row(api.call("POST", SUBMIT, BARE).json["request_id"])

    waiting = submitted()
    path = f"/chains/pages/async_request/{waiting.request_id}"
    assert api.call("DELETE", path).json["canceled"] is True

    running = world.requests.claim(submitted().request_id, "worker", 30)
    stored = world.results.put_result(running.request_id, b"[1]", "application/json")
    world.requests.finish(running, Succeeded(result=stored))
    result = api.call("GET", f"/chains/pages/async_request/{running.request_id}/result")
    assert (result.status, result.json) == (200, [1])


def test_the_queue_of_a_chain_is_that_of_its_entry_deployment(api: Api) -> None:
    api.call("POST", SUBMIT, BARE)
    assert api.call("GET", "/chains/pages/production/async_queue_status").json == {
        "model_id": "ocr",
        "deployment_id": "ocr-1",
        "num_queued_requests": 1,
        "num_in_progress_requests": 0,
    }
