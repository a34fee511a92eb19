from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import UNKNOWN, Given


def stage(**props: Any) -> Given:
    return resource("apigateway/stage", "live", restApi="api-1", stageName="live", **props)


def http_stage(**props: Any) -> Given:
    return resource("apigatewayv2/stage", "http", **props)


def limited(path: str = "*/*", api: str = "api-1", **limits: Any) -> Given:
    both = {"throttlingRateLimit": 200, "throttlingBurstLimit": 400, **limits}
    kind, where = "apigateway/methodSettings", {"restApi": api, "stageName": "live"}
    return resource(kind, "limits", methodPath=path, settings=both, **where)


def path(name: str, part: str, parent: str) -> Given:
    return resource("apigateway/resource", name, id=f"{name}-id", pathPart=part, parentId=parent)


def method(authorization: str, on: str = "root") -> Given:
    return resource("apigateway/method", "get", authorization=authorization, resourceId=on)


def in_first_preview() -> tuple[Given, ...]:
    """A method under /v1/models whose resources have no ids yet."""
    v1, models = path("v1", "v1", "root"), path("models", "models", UNKNOWN)
    models = models._replace(origins={"parentId": frozenset({v1.urn})})
    open_to_all = method("NONE", UNKNOWN)
    return v1, models, open_to_all._replace(origins={"resourceId": frozenset({models.urn})})


def route(key: str, kind: str) -> Given:
    return resource("apigatewayv2/route", "route", routeKey=key, authorizationType=kind)


LOGGED = {"accessLogSettings": {"destinationArn": "arn:aws:logs:::api", "format": "{}"}}

CASES = [
    passes("api-access-logs", "logged", stage(**LOGGED), http_stage(**LOGGED)),
    passes(
        "api-access-logs",
        "to a group that is not there yet",
        stage(accessLogSettings={"destinationArn": UNKNOWN, "format": "{}"}),
    ),
    fails("api-access-logs", "silent", stage(), says="live: set access_log_settings"),
    fails("api-access-logs", "a silent HTTP API", http_stage(), says="http: set access_log"),
    passes("api-throttling", "limited", stage(), limited()),
    passes(
        "api-throttling",
        "a limited HTTP API",
        http_stage(
            defaultRouteSettings={"throttlingRateLimit": 9, "throttlingBurstLimit": 9},
        ),
    ),
    fails("api-throttling", "unlimited", stage(), says="live: add MethodSettings for */*"),
    fails("api-throttling", "one path only", stage(), limited("v1/GET"), says="live: add Method"),
    fails("api-throttling", "no burst", stage(), limited(throttlingBurstLimit=-1), says="burst"),
    fails("api-throttling", "another API", stage(), limited(api="api-2"), says="live: add"),
    fails("api-throttling", "an unlimited HTTP API", http_stage(), says="default_route_settings"),
    passes("api-authorizer", "asked", method("CUSTOM"), route("GET /v1", "JWT")),
    passes(
        "api-authorizer",
        "open on purpose",
        path("docs", "docs", "root"),
        method("NONE", "docs-id"),
        config={"openPaths": ["/docs"]},
    ),
    fails(
        "api-authorizer",
        "open",
        path("v1", "v1", "root"),
        path("models", "models", "v1-id"),
        method("NONE", "models-id"),
        says="get: give /v1/models an authorizer",
    ),
    fails("api-authorizer", "before it is there", *in_first_preview(), says="give /v1/models an"),
    fails("api-authorizer", "the root", method("NONE"), says="get: give / an authorizer"),
    fails("api-authorizer", "an open route", route("GET /v1", "NONE"), says="give /v1 an"),
]
