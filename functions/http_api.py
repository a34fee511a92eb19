"""Serving the table of routes: proxy events in, answers and errors out."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from functions.http_answer import HttpAnswer
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

Operation = Callable[[HttpCall], HttpAnswer]
"""Serves one operation of the table, on whatever path it was called."""

Identify = Callable[[HttpCall], Tenant]
"""Says whose call it is that no authorizer saw, or raises `UnauthorizedError`."""

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
) -> "HttpApi":
    """Return what serves every route of `function`.

    Args:
        function: Whose routes.
        operations: What serves each operation.
        count: Where calls are counted.
        identify: Needed where a route is authorized by signature.
    """
    served = [
        _Served(route, _known(operations[route.operation], route, identify))
        for route in ROUTES
        if route.function == function
    ]
    # A path that is written out goes before one that a parameter would match too.
    served.sort(key=lambda one: "{" in one.route.path)
    return HttpApi(served, count, Logger(service=function))


@dataclass(frozen=True)
class _Served:
    """A route, and what serves it."""

    route: Route
    operation: Operation

    def path_parameters(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return what a call has in place of the parameters, or `None` if it is for another route.

        A path may end with slashes. Its rest may hold anything; who needs it reads it as it was
        written.
        """
        if self.route.method not in {"ANY", method}:
            return None
        wanted = self.route.path.split("/")
        if takes_rest := wanted[-1].endswith("+}"):
            *given, rest = path.split("/", len(wanted) - 1)
            wanted.pop()
        else:
            given, rest = path.rstrip("/").split("/"), ""
        if len(given) != len(wanted) or bool(rest) != takes_rest:
            return None
        pairs = list(zip(wanted, given, strict=True))
        if any(want != have and not (want[:1] == "{" and have) for want, have in pairs):
            return None
        return {want[1:-1]: have for want, have in pairs if want[:1] == "{"}


@dataclass(frozen=True)
class HttpApi:
    """The routes of one function.

    Powertools' own event handler brings GraphQL, agents and asyncio along: 40 ms of a cold start.
    """

    _routes: Sequence[_Served]
    _count: Count
    _logger: Logger

    def serve(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a proxy event of a REST API (payload format 1.0)."""
        method, path = event["httpMethod"], event["path"]
        for served in self._routes:
            found = served.path_parameters(method, path)
            if found is not None:
                return self._answer(served, event, found).to_event()
        self._count(FunctionMetric.CALLS_REFUSED)
        text = f"{method} {path} does not exist"
        unknown = ErrorBody(error=text, error_code="client_error")
        return answer(HTTPStatus.NOT_FOUND, unknown).to_event()

    def _answer(
        self, served: _Served, event: Mapping[str, Any], found: Mapping[str, str]
    ) -> HttpAnswer:
        self._count(FunctionMetric.CALLS)
        try:
            return served.operation(read_call(event, served.route.path, found))
        except Exception as error:  # noqa: BLE001 - every error gets an answer, here alone
            about = {name: value for name, value in found.items() if name == "request_id"}
            return self._failed(error, served.route.dialect, about)

    def _failed(self, error: Exception, dialect: Dialect, about: Mapping[str, str]) -> HttpAnswer:
        status, body, headers = _ERRORS[dialect](error)
        if isinstance(error, CallerError):
            self._count(FunctionMetric.CALLS_REFUSED)
            # The text may quote what the caller sent, so it stays out of the log.
            reason = type(error).__name__
            self._logger.info("call refused", extra={"status": status, "reason": reason, **about})
        else:
            self._count(FunctionMetric.CALLS_FAILED)
            self._logger.error("call failed", extra={"status": status, **about}, exc_info=error)
        return answer(status, body, headers)


def answer(
    status: HTTPStatus, body: Contract, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Return `body` as a JSON answer."""
    return HttpAnswer.json(status, body.model_dump_json(), headers)


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


def _known(operation: Operation, route: Route, identify: Identify | None) -> Operation:
    """Return `operation`, which then knows whose call it is."""
    if route.authorization == "signature":
        return _identified(operation, identify)
    return _authorized(operation)


def _authorized(operation: Operation) -> Operation:
    def serve(call: HttpCall) -> HttpAnswer:
        if not call.tenant:
            raise AssertionError("the API has no authorizer on a route that needs one")
        return operation(call)

    return serve


def _identified(operation: Operation, identify: Identify | None) -> Operation:
    if identify is None:
        raise AssertionError("a route is authorized by signature, and nothing reads signatures")
    return lambda call: operation(replace(call, tenant=identify(call)))
