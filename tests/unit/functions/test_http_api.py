"""Serving the table of routes."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from functions.http_answer import HttpAnswer
from functions.http_api import HttpApi, Operation, create_api
from penstock.contracts.http.routes import ROUTES, FunctionName, Route
from penstock.dialects.http_call import HttpCall
from tests.unit.functions.events import proxy_event
from tests.unit.functions.world import ACME, World

SUBMIT = "/models/ocr/production/async_predict"
VALUES = {
    "model_id": "m1", "chain_id": "c1", "environment": "e1", "deployment_id": "d1",
    "request_id": "r1", "deployment": "m1-e1", "endpoint_name": "n1",
}  # fmt: skip


def resolve(app: HttpApi, event: dict[str, Any]) -> tuple[int, Any, dict[str, Any]]:
    answer = app.serve(event)
    return answer["statusCode"], json.loads(answer["body"]), answer["multiValueHeaders"]


def an_api(operation: Operation, world: World, function: FunctionName = "intake") -> Any:
    names = {route.operation for route in ROUTES if route.function == function}
    return create_api(function, dict.fromkeys(names, operation), world.count, lambda _call: ACME)


def raising(error: Exception) -> Operation:
    def operation(_call: HttpCall) -> HttpAnswer:
        raise error

    return operation


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_of_the_table_reaches_its_operation(route: Route, world: World) -> None:
    seen: list[tuple[str, HttpCall]] = []

    def named(name: str) -> Operation:
        def operation(call: HttpCall) -> HttpAnswer:
            seen.append((name, call))
            return HttpAnswer(HTTPStatus.OK, "{}")

        return operation

    operations = {r.operation: named(r.operation) for r in ROUTES if r.function == route.function}
    app = create_api(route.function, operations, world.count, lambda _call: ACME)
    method = "PATCH" if route.method == "ANY" else route.method
    path = route.path.format(**VALUES, **{"path+": "v1/any thing?\n"})
    app.serve(proxy_event(method, path))

    ((operation, call),) = seen
    assert operation == route.operation
    assert call.route == route.path
    assert call.path_parameters == {
        name: value for name, value in VALUES.items() if f"{{{name}}}" in route.path
    }


@pytest.mark.parametrize("name", ["ö\U000f9d05¬", "a\nb", 'a"`#?', "a%2Fb"], ids=ascii)
def test_a_parameter_in_a_path_may_hold_any_character_but_a_slash(name: str, world: World) -> None:
    calls: list[HttpCall] = []

    def operation(call: HttpCall) -> HttpAnswer:
        calls.append(call)
        return HttpAnswer(HTTPStatus.OK, "{}")

    event = proxy_event("POST", f"/models/{name}/production/async_predict")
    an_api(operation, world).serve(event)
    assert calls[0].path_parameters == {"model_id": name}


@pytest.mark.parametrize("method", ["TRACE", "get"])
def test_a_route_of_any_method_takes_any(method: str, world: World) -> None:
    calls: list[HttpCall] = []

    def operation(call: HttpCall) -> HttpAnswer:
        calls.append(call)
        return HttpAnswer(HTTPStatus.OK, "{}")

    an_api(operation, world).serve(proxy_event(method, "/containers/ocr/a//b/"))
    assert [(call.method, call.route) for call in calls] == [
        (method, "/containers/{deployment}/{path+}")
    ]


def test_a_path_may_end_with_slashes(world: World) -> None:
    calls: list[HttpCall] = []

    def operation(call: HttpCall) -> HttpAnswer:
        calls.append(call)
        return HttpAnswer(HTTPStatus.OK, "{}")

    an_api(operation, world, "status").serve(proxy_event("GET", "/async_request/r1//"))
    assert calls[0].path_parameters == {"request_id": "r1"}


def test_a_path_that_lacks_a_parameter_is_unknown(world: World) -> None:
    api = an_api(raising(AssertionError()), world, "status")
    assert api.serve(proxy_event("GET", "/models//async_request/r1"))["statusCode"] == 404


def test_a_call_is_read_whatever_the_case_of_its_headers(world: World) -> None:
    calls: list[HttpCall] = []

    def operation(call: HttpCall) -> HttpAnswer:
        calls.append(call)
        return HttpAnswer(HTTPStatus.OK, "{}")

    event = proxy_event(
        "POST", SUBMIT, "é", tenant="other", headers={"IDEMPOTENCY-key": "k"}, query={"a": "b"}
    )
    an_api(operation, world).serve(event)

    (call,) = calls
    assert (call.tenant, call.query, call.body) == ("other", {"a": "b"}, "é".encode())
    assert call.headers["idempotency-key"] == "k"
    assert call.hosts[0] == "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("host", "paths"),
    [
        (None, ("/live/production/async_predict", "/production/async_predict")),
        ("model-echo.example.com", ("/production/async_predict",)),
    ],
)
def test_only_the_address_of_aws_has_the_stage_in_its_path(
    world: World, host: str | None, paths: tuple[str, ...]
) -> None:
    calls: list[HttpCall] = []

    def operation(call: HttpCall) -> HttpAnswer:
        calls.append(call)
        return HttpAnswer(HTTPStatus.OK, "{}")

    event = proxy_event("POST", "/production/async_predict", host=host)
    an_api(operation, world).serve(event)

    assert calls[0].paths == paths
    assert host is None or calls[0].hosts == (host, host)


def test_a_binary_body_is_decoded(world: World) -> None:
    bodies: list[bytes] = []

    def operation(call: HttpCall) -> HttpAnswer:
        bodies.append(call.body)
        return HttpAnswer(HTTPStatus.OK, "{}")

    an_api(operation, world).serve(proxy_event("POST", SUBMIT, b"\xff\x00"))
    assert bodies == [b"\xff\x00"]


def test_an_event_may_lack_headers_query_and_body(world: World) -> None:
    event = proxy_event("POST", SUBMIT) | {"headers": None, "multiValueHeaders": None}
    bodies: list[bytes] = []

    def operation(call: HttpCall) -> HttpAnswer:
        bodies.append(call.body)
        return HttpAnswer(HTTPStatus.OK, "{}")

    an_api(operation, world).serve(event)
    assert bodies == [b""]


@pytest.mark.parametrize(("method", "path"), [("POST", "/nowhere"), ("GET", SUBMIT)])
def test_an_unknown_path_is_answered_in_json(method: str, path: str, world: World) -> None:
    app = an_api(raising(AssertionError()), world)
    status, body, headers = resolve(app, proxy_event(method, path))
    assert status == 404
    assert body == {"error": f"{method} {path} does not exist", "error_code": "client_error"}
    assert headers["Content-Type"] == ["application/json"]


def test_an_unforeseen_error_is_told_to_the_log_alone(
    world: World, log: pytest.LogCaptureFixture
) -> None:
    app = an_api(raising(KeyError("a detail")), world)
    status, body, headers = resolve(app, proxy_event("POST", SUBMIT))

    assert status == 500
    assert body == {"error": "internal error", "error_code": "internal_baseten_error"}
    assert headers["Content-Type"] == ["application/json"]
    assert "KeyError: 'a detail'" in log.text
    assert world.counted == {"Calls": 1, "CallsFailed": 1}


def test_a_call_that_fails_is_logged_with_the_request_that_it_names(
    world: World, log: pytest.LogCaptureFixture
) -> None:
    app = an_api(raising(RuntimeError("broken")), world, "status")
    app.serve(proxy_event("GET", "/async_request/r1"))

    (line,) = log.records
    assert line.message == "call failed"
    assert line.__dict__["request_id"] == "r1"
