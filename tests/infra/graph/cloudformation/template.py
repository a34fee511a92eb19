"""The part of a graph that CloudFormation would make, as its templates."""

import re
from typing import Any

from tests.infra.graph.cloudformation.data import DATA
from tests.infra.graph.cloudformation.functions import FUNCTIONS
from tests.infra.graph.cloudformation.identity import IDENTITY
from tests.infra.graph.cloudformation.kinds import Kind, Part
from tests.infra.graph.cloudformation.messaging import MESSAGING
from tests.infra.graph.cloudformation.properties import NotRenderedError, merged, rendered
from tests.infra.recording import Declared, Registered

KINDS: dict[str, Kind | Part] = {**DATA, **FUNCTIONS, **IDENTITY, **MESSAGING}
MOST_RESOURCES = 500
"""CloudFormation's limit for one template."""


def templates(declared: Declared) -> list[dict[str, Any]]:
    """Return templates of everything in `KINDS`.

    Raises:
        NotRenderedError: an input has no place in CloudFormation that somebody named.
    """
    resources: dict[str, dict[str, Any]] = {}
    for resource in declared:
        if isinstance(kind := KINDS.get(resource.type), Kind):
            properties = _properties(resource, kind)
            resources[resource.urn] = {"Type": kind.type, "Properties": properties}
    for resource in declared:
        if isinstance(kind := KINDS.get(resource.type), Part):
            whole = resources[_owner(declared, resource, kind).urn]
            whole["Properties"] = merged(whole["Properties"], _properties(resource, kind))
    named = {
        _logical_id(index, urn): resource for index, (urn, resource) in enumerate(resources.items())
    }
    names = list(named)
    return [
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": {name: named[name] for name in names[start : start + MOST_RESOURCES]},
        }
        for start in range(0, len(names), MOST_RESOURCES)
    ]


def _properties(resource: Registered, kind: Kind | Part) -> dict[str, Any]:
    name = kind.name if isinstance(kind, Kind) else None
    known = {"name"} if name else kind.keys if isinstance(kind, Part) else {}
    inputs = {key: value for key, value in resource.inputs.items() if key not in known}
    named = {name: resource.outputs["name"]} if name else {}
    try:
        return {**named, **rendered(inputs, kind.properties)}
    except NotRenderedError as error:
        raise NotRenderedError(f"{resource.type} {resource.name}: {error}") from error


def _owner(declared: Declared, resource: Registered, part: Part) -> Registered:
    (owner,) = (
        candidate
        for candidate in declared.of_type(part.owner)
        if all(
            candidate.outputs[theirs] == resource.inputs[ours] for ours, theirs in part.keys.items()
        )
    )
    return owner


def _logical_id(index: int, urn: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", urn.rpartition("::")[2]) + str(index)
