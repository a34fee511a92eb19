"""Reading what a program declared, where a preview does not know everything yet.

The SDK's proxies raise at any touch of an unknown value, even at `key in props`, and the rest of
the policy is then skipped. So values are read once into plain ones, with `UNKNOWN` in the gaps. A
rule never holds `UNKNOWN` against the program: `pulumi up` knows more, and looks again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final

from pulumi_policy import proxy


class _Gap(Enum):
    UNKNOWN = "not known before `pulumi up`"


UNKNOWN: Final = _Gap.UNKNOWN

_ON_THE_WIRE = frozenset(value for key, value in vars(proxy).items() if key.startswith("UNKNOWN_"))
"""What stands for an unknown value; remediations meet it as it is."""


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a resource has
    """Return mappings as dictionaries, sequences as lists, and unknown values as `UNKNOWN`."""
    if isinstance(value, Mapping):
        return {key: _part(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_part(value, index) for index in range(len(value))]
    return UNKNOWN if isinstance(value, str) and value in _ON_THE_WIRE else value


def _part(whole: Any, key: Any) -> Any:  # noqa: ANN401 - a mapping or a sequence, and its key
    try:
        return plain(whole[key])
    except proxy.UnknownValueError:
        return UNKNOWN


def at(value: Any, *path: str) -> Any:  # noqa: ANN401 - whatever lies there
    """Return what lies under `path`; None if nothing does, UNKNOWN if that cannot be told."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key) if isinstance(value, dict) else None
    return value


def parts(value: Any) -> list[Any]:  # noqa: ANN401 - a list, or what stands in its place
    """Return the known elements of a list; none if there is no list."""
    return [part for part in value if part is not UNKNOWN] if isinstance(value, list) else []


def has_gap(value: Any) -> bool:  # noqa: ANN401 - a list, or what stands in its place
    """Return whether a list, or one of its elements, is not known."""
    return value is UNKNOWN or (isinstance(value, list) and UNKNOWN in value)


def is_on(value: Any) -> bool:  # noqa: ANN401 - a switch, sometimes as text
    """Return whether a switch is on, or may be."""
    return value in (True, "true", UNKNOWN)


def may_be(value: Any, accepted: Iterable[Any]) -> bool:  # noqa: ANN401 - compared only
    """Return whether a value is one of `accepted`, or may be."""
    return value is UNKNOWN or value in tuple(accepted)


def may_hold(values: Any, wanted: Any) -> bool:  # noqa: ANN401 - compared only
    """Return whether a list holds `wanted`, or may."""
    return has_gap(values) or (isinstance(values, list) and wanted in values)


def may_be_within(value: Any, low: float, high: float) -> bool:  # noqa: ANN401 - compared only
    """Return whether a number lies between two others, or may."""
    if value is UNKNOWN:
        return True
    number = as_number(value)
    return number is not None and low <= number <= high


def as_number(value: Any) -> float | None:  # noqa: ANN401 - whatever is there
    """Return a number; None for what is none, or not known."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Return whether a text matches one of the patterns, in which `*` stands for anything."""
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def document(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a JSON text says; None if it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
