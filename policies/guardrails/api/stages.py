"""Stages write who called, and answer only so many calls."""

from collections.abc import Iterator

from ..declaring import Settings, resource_policy, stack_policy
from ..reading import UNKNOWN, as_number, may_be
from ..resources import Resource, Stack

_REST_STAGE = "aws:apigateway/stage:Stage"
_HTTP_STAGE = "aws:apigatewayv2/stage:Stage"
_METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
_ALL_METHODS = "*/*"


@resource_policy("api-access-logs", _REST_STAGE, _HTTP_STAGE)
def calls_are_logged(stage: Resource, _: Settings) -> Iterator[str]:
    """Every stage writes an access log."""
    if not stage.at("accessLogSettings", "destinationArn"):
        yield "set access_log_settings: the ARN of a log group, and a format"


@stack_policy("api-throttling")
def calls_are_limited(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """Every stage has a limit of calls."""
    for stage in stack.of(_REST_STAGE):
        if not any(_limits(settings, "settings") for settings in _settings_of(stack, stage)):
            yield (
                stage,
                f"add MethodSettings for {_ALL_METHODS} with throttling_rate_limit and"
                " throttling_burst_limit",
            )
    for stage in stack.of(_HTTP_STAGE):
        if not _limits(stage, "defaultRouteSettings"):
            yield (
                stage,
                "set default_route_settings: throttling_rate_limit and throttling_burst_limit",
            )


def _settings_of(stack: Stack, stage: Resource) -> Iterator[Resource]:
    for settings in stack.of(_METHOD_SETTINGS):
        is_of_api = may_be(stage.at("restApi"), [settings.at("restApi")]) or (
            settings.at("restApi") is UNKNOWN
        )
        is_of_stage = settings.may_refer_to(stage, "stageName") or (
            is_of_api and settings.at("stageName") == stage.at("stageName")
        )
        if is_of_stage and may_be(settings.at("methodPath"), [_ALL_METHODS]):
            yield settings


def _limits(resource: Resource, block: str) -> bool:
    limits = (resource.at(block, f"throttling{key}Limit") for key in ("Rate", "Burst"))
    return all(limit is UNKNOWN or (as_number(limit) or 0) > 0 for limit in limits)
