"""How a policy is declared: a rule that says what to do, under a name, for types of resources."""

from collections.abc import Callable, Iterator, Mapping
from inspect import cleandoc
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from .resources import Resource, Stack

MANDATORY, ADVISORY = EnforcementLevel.MANDATORY, EnforcementLevel.ADVISORY

Settings = Mapping[str, Any]
Schema = dict[str, dict[str, Any]]
"""Of each setting its JSON schema, with the `default` that holds without a config."""

ResourceRule = Callable[[Resource, Settings], Iterator[str]]
"""Yields what to do about the resource."""

StackRule = Callable[[Stack, Settings], Iterator[tuple[Resource, str]]]
"""Yields resources and what to do about each."""


def text(default: str) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"type": "string", "default": default}


def texts(*default: str) -> dict[str, Any]:
    """Return the schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}, "default": list(default)}


def number(default: float, *, minimum: float = 0) -> dict[str, Any]:
    """Return the schema of a number."""
    return {"type": "number", "minimum": minimum, "default": default}


def switch(*, default: bool) -> dict[str, Any]:
    """Return the schema of a switch."""
    return {"type": "boolean", "default": default}


def settings_of(schema: Schema | None, config: Settings) -> Settings:
    """Return a policy's config; the SDK does not fill in defaults."""
    return {**{key: given["default"] for key, given in (schema or {}).items()}, **config}


def config_schema(schema: Schema | None) -> PolicyConfigSchema | None:
    """Return a schema as the SDK wants it."""
    return PolicyConfigSchema(schema) if schema else None


def _description(rule: ResourceRule | StackRule) -> str:
    return cleandoc(rule.__doc__ or "")


def resource_policy(
    name: str,
    *types: str,
    level: EnforcementLevel = MANDATORY,
    schema: Schema | None = None,
) -> Callable[[ResourceRule], ResourceValidationPolicy]:
    """Make a rule about single resources of `types` a policy; its docstring says what holds."""

    def policy(rule: ResourceRule) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if args.resource_type not in types:
                return
            settings = settings_of(schema, args.get_config())
            for advice in rule(Resource(args), settings):
                report(f"{args.name}: {advice}", None)

        return ResourceValidationPolicy(
            name, _description(rule), validate, level, config_schema=config_schema(schema)
        )

    return policy


def stack_policy(
    name: str,
    *,
    level: EnforcementLevel = MANDATORY,
    schema: Schema | None = None,
) -> Callable[[StackRule], StackValidationPolicy]:
    """Make a rule about how resources go together a policy; its docstring says what holds."""

    def policy(rule: StackRule) -> StackValidationPolicy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            settings = settings_of(schema, args.get_config())
            for resource, advice in rule(Stack(args.resources), settings):
                report(f"{resource.name}: {advice}", resource.urn)

        return StackValidationPolicy(
            name, _description(rule), validate, level, config_schema=config_schema(schema)
        )

    return policy
