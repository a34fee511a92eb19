"""How inputs of Pulumi's AWS provider become properties of CloudFormation.

A key is listed with what it becomes, or is refused: nothing is left out unseen.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Fragment = dict[str, Any]
"""Part of a resource's properties."""

Property = Callable[[Any], Fragment]


class NotRenderedError(Exception):
    """Nobody said what a key becomes."""


def rendered(inputs: Mapping[str, Any], table: Mapping[str, Property]) -> Fragment:
    """Return what `inputs` become by `table`.

    Raises:
        NotRenderedError: a key is not in the table.
    """
    if unknown := inputs.keys() - table.keys():
        raise NotRenderedError(", ".join(sorted(unknown)))
    fragment: Fragment = {}
    for key, value in inputs.items():
        fragment = merged(fragment, table[key](value))
    return fragment


def merged(one: Any, other: Any) -> Any:
    """Return both: mappings key by key, lists one after the other."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: merged(one[key], other[key]) for key in one.keys() & other.keys()}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *other]
    if one != other:
        raise NotRenderedError(f"{one!r} and {other!r} are the same property")
    return one


def same(*keys: str) -> dict[str, Property]:
    """Keep keys but for their first letter."""
    return {key: renamed(key[0].upper() + key[1:]) for key in keys}


def renamed(name: str, convert: Callable[[Any], Any] = lambda value: value) -> Property:
    """Call a key `name`, its value converted."""
    return lambda value: {name: convert(value)}


def inside(name: str, table: Mapping[str, Property]) -> Property:
    """Call a block, or each of a list of blocks, `name`."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [rendered(part, table) for part in value]
        return rendered(value, table)

    return renamed(name, convert)


def unpacked(table: Mapping[str, Property]) -> Property:
    """Put what is in a block beside the block."""
    return lambda block: rendered(block, table)


def within(block: str, table: Mapping[str, Property]) -> dict[str, Property]:
    """Put what keys become into a block that Pulumi's provider does not have."""

    def moved(made: Property) -> Property:
        return lambda value: {block: made(value)}

    return {key: moved(made) for key, made in table.items()}


def document(name: str) -> Property:
    """Call a key `name`, whose value is JSON as text."""
    return renamed(name, json.loads)


def listed(name: str) -> Property:
    """Call a key `name`, whose value is the only one of a list."""
    return renamed(name, lambda value: value if isinstance(value, list) else [value])


def pairs(name: str, key: str, value: str) -> Property:
    """Call a mapping `name` and make a list of it."""
    return renamed(name, lambda mapping: [{key: k, value: v} for k, v in mapping.items()])


TAGS = pairs("Tags", "Key", "Value")


def nothing(_: Any) -> Fragment:
    """Leave out what only Pulumi's provider knows."""
    return {}
