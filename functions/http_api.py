"""Serving the table of routes: proxy events in, answers and errors out."""

import base64
import re
from collections.abc import Callable, Mapping
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
from penstock.dialects.baseten.errors import error_answer
from penstock.dialects.http_call import HttpCall

Operation = Callable[[HttpCall], Response[str]]
"""Serves one operation of the table, on whatever path it was called."""


def create_api(
    function: FunctionName, operations: Mapping[str, Operation], count: Count
) -> APIGatewayRestResolver:
    """Return an application that serves every route of `function`."""
    app = APIGatewayRestResolver()
    for route in ROUTES:
        if route.function == function:
            _serve(app, route, operations[route.operation], count)
    _answer_errors(app, Logger(service=function), count)
    return app


def answer(
    status: HTTPStatus, body: Contract, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """Return `body` as a JSON answer."""
    text = body.model_dump_json(exclude_none=isinstance(body, ErrorBody))
    return Response(status, content_types.APPLICATION_JSON, text, headers)


def read_call(event: Mapping[str, Any], route: str, path_parameters: Mapping[str, str]) -> HttpCall:
    """Return the call that a proxy event of a REST API (payload format 1.0) carries."""
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    return HttpCall(
        tenant=context["authorizer"]["tenant"],
        route=route,
        hosts=tuple(filter(None, (context.get("domainName"), headers.get("host")))),
        path_parameters=path_parameters,
        query=event.get("queryStringParameters") or {},
        headers=headers,
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def _serve(app: APIGatewayRestResolver, route: Route, operation: Operation, count: Count) -> None:
    def serve(**path_parameters: str) -> Response[str]:
        count("Calls")
        return operation(read_call(app.current_event.raw_event, route.path, path_parameters))

    rule = re.sub(r"{(\w+)}", r"<\1>", route.path)
    app.route(rule, method=route.method)(serve)


def _answer_errors(app: APIGatewayRestResolver, logger: Logger, count: Count) -> None:
    def no_such_path(_error: NotFoundError) -> Response[str]:
        count("CallsRefused")
        text = f"{app.current_event.http_method} {app.current_event.path} does not exist"
        return answer(HTTPStatus.NOT_FOUND, ErrorBody(error=text, error_code="client_error"))

    def failed(error: Exception) -> Response[str]:
        status, body, headers = error_answer(error)
        if isinstance(error, CallerError):
            count("CallsRefused")
            # The text may quote what the caller sent, so it stays out of the log.
            logger.info("call refused", extra={"status": status, "reason": type(error).__name__})
        else:
            count("CallsFailed")
            logger.error("call failed", extra={"status": status}, exc_info=error)
        return answer(status, body, headers)

    app.not_found(no_such_path)
    app.exception_handler(Exception)(failed)
