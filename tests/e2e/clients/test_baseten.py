"""What callers of Baseten hear of their mistakes, with `requests` as in Baseten's documentation."""

from typing import Any

import pytest
import requests

from tests.e2e.clients.conftest import MAX_PAYLOAD_BYTES, Clients

pytestmark = pytest.mark.e2e

SUBMIT = "/models/echo/production/async_predict"
PROBE = {"model_input": "probe"}


def _call(clients: Clients, method: str, path: str, key: str | None = None, **sent: Any) -> None:
    headers = {"Authorization": key or f"Api-Key {clients.key}"}
    answer = requests.request(method, clients.url + path, headers=headers, timeout=60, **sent)
    answer.raise_for_status()


@pytest.mark.parametrize("scheme", ["Api-Key", "Bearer"])
def test_a_key_is_known_under_both_schemes(clients: Clients, scheme: str) -> None:
    _call(clients, "POST", SUBMIT, f"{scheme} {clients.key}", json=PROBE)


@pytest.mark.parametrize("key", ["Api-Key wrong", "Bearer wrong", "Api-Key", "Basic d3Jvbmc6"])
def test_a_wrong_key_is_an_error_401(clients: Clients, key: str) -> None:
    _is_refused(clients, 401, "unauthorized", "POST", SUBMIT, key=key, json=PROBE)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/models/nobody/production/async_predict"),
        ("POST", "/models/echo/environments/nowhere/async_predict"),
        ("POST", "/deployment/never/async_predict"),
    ],
)
def test_an_address_that_leads_nowhere_is_an_error_404(
    clients: Clients, method: str, path: str
) -> None:
    _is_refused(clients, 404, "model_does_not_exist", method, path, json=PROBE)


def test_an_unknown_request_is_an_error_404(clients: Clients) -> None:
    _is_refused(clients, 404, "client_error", "GET", "/models/echo/async_request/never")


def test_a_body_over_the_limit_is_an_error_413(clients: Clients) -> None:
    body = {"model_input": "x" * MAX_PAYLOAD_BYTES}
    _is_refused(clients, 413, "payload_too_large", "POST", SUBMIT, json=body)


@pytest.mark.parametrize(
    "sent",
    [
        {"data": b"{"},
        {"data": b"\xff"},
        {"json": []},
        {"json": {}},
        {"json": {**PROBE, "priority": 3}},
        {"json": {**PROBE, "max_time_in_queue_seconds": 9}},
        {"json": {**PROBE, "webhook_endpoint": "ftp://you.example"}},
        {"json": {**PROBE, "unknown": 1}},
    ],
    ids=str,
)
def test_what_is_malformed_is_an_error_400(clients: Clients, sent: dict[str, Any]) -> None:
    _is_refused(clients, 400, "client_error", "POST", SUBMIT, **sent)


def _is_refused(clients: Clients, status: int, code: str, *call: str, **sent: Any) -> None:
    with pytest.raises(requests.HTTPError) as refused:
        _call(clients, *call, **sent)
    body = refused.value.response.json()
    assert (refused.value.response.status_code, body["error_code"]) == (status, code)
    assert body["error"]
