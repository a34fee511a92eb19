"""Nothing answers to callers that nobody looked at."""

from collections.abc import Iterator

from ..declaring import Settings, stack_policy, texts
from ..reading import UNKNOWN, matches, may_be
from ..resources import Resource, Stack

_METHOD = "aws:apigateway/method:Method"
_RESOURCE = "aws:apigateway/resource:Resource"
_ROUTE = "aws:apigatewayv2/route:Route"


@stack_policy(
    "api-authorizer",
    schema={"openPaths": texts("/healthz", "/openapi.json")},
)
def callers_are_known(stack: Stack, settings: Settings) -> Iterator[tuple[Resource, str]]:
    """Every route asks who is calling."""
    for method in stack.of(_METHOD):
        if not may_be(method.at("authorization"), ("CUSTOM", "AWS_IAM", "COGNITO_USER_POOLS")):
            path = _path(stack, method, "resourceId")
            yield from _unless_open(method, path, settings)
    for route in stack.of(_ROUTE):
        if not may_be(route.at("authorizationType"), ("CUSTOM", "JWT", "AWS_IAM")):
            key = route.at("routeKey")
            path = key.rpartition(" ")[2] if isinstance(key, str) else None
            yield from _unless_open(route, path, settings)


def _unless_open(
    route: Resource, path: str | None, settings: Settings
) -> Iterator[tuple[Resource, str]]:
    if path is not None and not matches(path, settings["openPaths"]):
        yield route, f"give {path} an authorizer, or open it by config (api-authorizer.openPaths)"


def _path(stack: Stack, child: Resource, key: str) -> str | None:
    """Return the path of a method or resource, grown from its parents; None if not known."""
    if child.may_refer_to_anything(key):
        return None
    for resource in stack.of(_RESOURCE):
        if child.may_refer_to(resource, key):
            above, own = _path(stack, resource, "parentId"), resource.at("pathPart")
            return None if above is None or own is UNKNOWN else f"{above.rstrip('/')}/{own}"
    return "/"
