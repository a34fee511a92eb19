"""Serving the table of routes: proxy events in, answers and errors out."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from functions.telemetry import Count
from penstock.contracts.contract import Contract
from penstock.contracts.errors import CallerError
from penstock.contracts.http.baseten import ErrorBody
from penstock.contracts.http.routes import ROUTES, FunctionName, Route
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.origin import Dialect
from penstock.contracts.request import Tenant
from penstock.dialects.baseten.errors import error_answer
from penstock.dialects.datacrunch import errors as datacrunch
from penstock.dialects.error_answer import ErrorAnswer
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker import errors as sagemaker

Operation = Callable[[HttpCall], Response[Any]]
"""Serves one operation of the table, on whatever path it was called."""

Identify = Callable[[HttpCall], Tenant]
"""Says whose call it is that no authorizer saw, or raises `UnauthorizedError`."""

_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]
_ERRORS: Mapping[Dialect, Callable[[Exception], ErrorAnswer]] = {
    Dialect.BASETEN: error_answer,
    Dialect.DATACRUNCH: datacrunch.error_answer,
    Dialect.SAGEMAKER: sagemaker.error_answer,
}


def create_api(
    function: FunctionName,
    operations: Mapping[str, Operation],
    count: Count,
    identify: Identify | None = None,
) -> APIGatewayRestResolver:
    """Return an application that serves every route of `function`.

    Args:
        function: Whose routes.
        operations: What serves each operation.
        count: Where calls are counted.
        identify: Needed where a route is authorized by signature.
    """
    app = APIGatewayRestResolver()
    logger = Logger(service=function)
    for route in ROUTES:
        if route.function == function:
            operation = operations[route.operation]
            by_signature = route.authorization == "signature"
            known = _identified(operation, identify) if by_signature else _authorized(operation)
            _serve(app, route, known, count, logger)
    _answer_unknown_paths(app, count)
    return app


def answer(
    status: HTTPStatus, body: Contract, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """Return `body` as a JSON answer."""
    text = body.model_dump_json()
    return Response(status, content_types.APPLICATION_JSON, text, headers)


def read_call(event: Mapping[str, Any], route: str, path_parameters: Mapping[str, str]) -> HttpCall:
    """Return the call that a proxy event of a REST API (payload format 1.0) carries."""
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        if len(values) > 1:
            headers[name.lower()] = ", ".join(values)  # RFC 9110, 5.3
    repeated = event.get("multiValueQueryStringParameters") or {}
    body = event.get("body") or ""
    return HttpCall(
        tenant=Tenant((context.get("authorizer") or {}).get("tenant", "")),
        method=event["httpMethod"],
        route=route,
        paths=tuple(dict.fromkeys((context.get("path", event["path"]), event["path"]))),
        hosts=tuple(filter(None, (context.get("domainName"), headers.get("host")))),
        path_parameters=path_parameters,
        query=event.get("queryStringParameters") or {},
        repeated_query={name: tuple(values) for name, values in repeated.items()},
        headers=headers,
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def _serve(
    app: APIGatewayRestResolver, route: Route, operation: Operation, count: Count, logger: Logger
) -> None:
    def serve() -> Response[Any]:
        count(FunctionMetric.CALLS)
        found = _path_parameters(route.path, app.current_event.path)
        try:
            return operation(read_call(app.current_event.raw_event, route.path, found))
        except Exception as error:  # noqa: BLE001 - every error gets an answer, here alone
            about = {name: value for name, value in found.items() if name == "request_id"}
            return _failed(error, route.dialect, count, logger, about)

    methods = _METHODS if route.method == "ANY" else route.method
    app.route(_pattern(route.path, "([^/]+)"), method=methods)(serve)


def _pattern(path: str, parameter: str) -> str:
    """Return the regular expression of a route: Powertools' own knows only some characters.

    The rest of a path may hold anything; who needs it reads it as it was written.
    """
    return re.sub(r"{\w+\+}$", r"[\\s\\S]+", re.sub(r"{(\w+)}", parameter, path))


def _path_parameters(route: str, path: str) -> Mapping[str, str]:
    # As Powertools matches: a path may end with slashes.
    found = re.fullmatch(_pattern(route, r"(?P<\1>[^/]+)") + "/*", path)
    return found.groupdict() if found else {}


def _authorized(operation: Operation) -> Operation:
    def serve(call: HttpCall) -> Response[Any]:
        if not call.tenant:
            raise AssertionError("the API has no authorizer on a route that needs one")
        return operation(call)

    return serve


def _identified(operation: Operation, identify: Identify | None) -> Operation:
    if identify is None:
        raise AssertionError("a route is authorized by signature, and nothing reads signatures")
    return lambda call: operation(replace(call, tenant=identify(call)))


def _failed(
    error: Exception, dialect: Dialect, count: Count, logger: Logger, about: Mapping[str, str]
) -> Response[Any]:
    status, body, headers = _ERRORS[dialect](error)
    if isinstance(error, CallerError):
        count(FunctionMetric.CALLS_REFUSED)
        # The text may quote what the caller sent, so it stays out of the log.
        reason = type(error).__name__
        logger.info("call refused", extra={"status": status, "reason": reason, **about})
    else:
        count(FunctionMetric.CALLS_FAILED)
        logger.error("call failed", extra={"status": status, **about}, exc_info=error)
    return answer(status, body, headers)


def _answer_unknown_paths(app: APIGatewayRestResolver, count: Count) -> None:
    def no_such_path(_error: NotFoundError) -> Response[str]:
        count(FunctionMetric.CALLS_REFUSED)
        text = f"{app.current_event.http_method} {app.current_event.path} does not exist"
        return answer(HTTPStatus.NOT_FOUND, ErrorBody(error=text, error_code="client_error"))

    app.not_found(no_such_path)
