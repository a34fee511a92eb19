"""Finds inputs that refer to nothing, or to a resource of another kind."""

from collections.abc import Iterator
from typing import Any

from tests.infra.graph.references.places import PLACES, PLACES_OF_TYPES, VARIABLES, Target
from tests.infra.recording import Declared

Place = str | tuple[str, str]
"""A key of one of the tables."""


def strays(declared: Declared) -> list[str]:
    """Return each reference that is of no resource of the kind that belongs there."""
    known = _Known(declared)
    return [
        f"{resource.type.rpartition(':')[2]} {resource.name}: {key} is {value}"
        for resource in declared
        if not resource.is_component
        for _, key, value, targets in _references(resource.type, resource.inputs)
        if not any(value in known.values(target) for target in targets)
    ]


def used_places(declared: Declared) -> set[Place]:
    """Return what of the tables refers to anything."""
    return {
        place
        for resource in declared
        if not resource.is_component
        for place, _, _, _ in _references(resource.type, resource.inputs)
    }


class _Known:
    """What there is to refer to."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._found: dict[Target, set[str]] = {}

    def values(self, target: Target) -> set[str]:
        if target not in self._found:
            kind, output = target
            resources = self._declared.of_type(kind)
            self._found[target] = {t for r in resources for t in _texts(r.outputs.get(output))}
        return self._found[target]


def _references(
    kind: str, value: Any, key: str = ""
) -> Iterator[tuple[Place, str, str, tuple[Target, ...]]]:
    """Yield what refers to something: by what rule, under which key, as what, and to what."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _references(kind, part, name)
        if isinstance(name := value.get("name"), str):  # a variable of a container
            yield from _references(kind, value.get("value"), name)
    elif isinstance(value, list):
        for part in value:
            yield from _references(kind, part, key)
    elif isinstance(value, str):
        yield from ((place, key, value, targets) for place, targets in _rules(kind, key))


def _rules(kind: str, key: str) -> Iterator[tuple[Place, tuple[Target, ...]]]:
    _, _, short = kind.partition(":")
    if (short, key) in PLACES_OF_TYPES:
        yield (short, key), PLACES_OF_TYPES[short, key]
    elif key in PLACES:
        yield key, PLACES[key]
    elif key in VARIABLES:
        yield key, VARIABLES[key]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
