"""Whatever costs money says whose it is."""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, cast

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from .declaring import config_schema, settings_of, text, texts
from .reading import UNKNOWN, at
from .resources import Resource
from .taggable import TAGGABLE

_SCHEMA = {
    "required": texts("Project", "Environment", "Owner"),
    "owner": {**text(""), "description": "Filled in where nobody said; empty fills in nothing"},
}


def _missing(resource: Resource, config: Mapping[str, Any]) -> list[str]:
    wanted: list[str] = settings_of(_SCHEMA, config)["required"]
    given = [resource.at("tags"), resource.at("tagsAll"), _default_tags(resource)]
    return [key for key in wanted if not any(_is_filled_in(tags, key) for tags in given)]


def _is_filled_in(tags: Any, key: str) -> bool:  # noqa: ANN401 - tags, or not known
    value = at(tags, key)
    return value is UNKNOWN or bool(str(value or "").strip())


def _default_tags(resource: Resource) -> Any:  # noqa: ANN401 - tags, or not known
    given = resource.provider_props.get("defaultTags")
    # Providers carry whatever is nested as JSON.
    return at(json.loads(given) if isinstance(given, str) else given, "tags")


def _validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type in TAGGABLE and (missing := _missing(Resource(args), args.get_config())):
        report(
            f"{args.name}: add the tags {', '.join(missing)}, best in the provider's default_tags",
            None,
        )


def _remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
    if args.resource_type not in TAGGABLE:
        return None
    config = settings_of(_SCHEMA, args.get_config())
    answers = {
        "Project": pulumi.get_project(),
        "Environment": Resource(args).stack_name,
        "Owner": config["owner"],
    }
    missing = _missing(Resource(args), config)
    added = {key: answers[key] for key in missing if answers.get(key)}
    return _with_tags(args.props, added) if added else None


def _with_tags(props: Mapping[str, Any], added: Mapping[str, str]) -> Mapping[str, Any]:
    # Written into the SDK's own mapping: a copy would carry what is secret in plain text.
    if not isinstance(tags := props.get("tags"), Mapping):
        cast("MutableMapping[str, Any]", props)["tags"] = dict(added)
        return props
    for key, value in added.items():
        cast("MutableMapping[str, Any]", tags)[key] = value
    return props


required_tags = ResourceValidationPolicy(
    "required-tags",
    "Whatever can carry tags says its project, environment and owner.",
    _validate,
    EnforcementLevel.REMEDIATE,
    config_schema(_SCHEMA),
    _remediate,  # type: ignore[arg-type]  # the SDK takes a plain mapping, too
)
