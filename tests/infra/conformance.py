"""Holds what was declared to the SDK's own types, at any depth.

A provider refuses misspelt keys, wrong types and missing inputs; mocks never look at them.
"""

import enum
import functools
import importlib
import json
import sys
import types
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_dict_type

import pulumi
import pulumi_aws
import pulumi_docker_build
import pulumi_kubernetes
from pulumi import _types

from tests.infra.recording import Registered

_SDKS = {
    "aws": pulumi_aws,
    "docker-build": pulumi_docker_build,
    "kubernetes": pulumi_kubernetes,
}


def faults(resource: Registered) -> list[str]:
    """Return what a provider would refuse in the inputs of `resource`."""
    package = resource.type.split(":")[0]
    return list(_block_faults(resource.inputs, _args_class(package, resource.type), resource.name))


@functools.cache
def _classes(package: str) -> dict[str, tuple[str, str]]:
    # Every SDK carries the table of its types as text at its end.
    source = Path(str(_SDKS[package].__file__)).read_text()
    table = source.split('resource_modules="""', 1)[1].split('"""', 1)[0]
    return {
        token: (module["fqn"], name)
        for module in json.loads(table)
        for token, name in module["classes"].items()
    }


@functools.cache
def _args_class(package: str, token: str) -> Any:
    module_name, name = _classes(package)[token]
    resource = getattr(importlib.import_module(module_name), name)
    module = sys.modules[resource.__module__]
    # Where a nested type has the same name, the resource's own is called ...InitArgs.
    return getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")


@functools.cache
def _fields(block: Any) -> dict[str, Any]:
    names = {"Output": pulumi.Output, "T": TypeVar("T")}
    return {
        wire: get_type_hints(getattr(block, python).fget, localns=names)["return"]
        for python, wire in _types.input_type_py_to_pulumi_names(block).items()
    }


def _block_faults(values: Mapping[str, Any], block: Any, path: str) -> Iterator[str]:
    fields = _fields(block)
    for key, value in values.items():
        if key in fields:
            yield from _value_faults(value, fields[key], f"{path}.{key}")
        else:
            yield f"{path}.{key}: unknown key"
    for key, hint in fields.items():
        if key not in values and not _is_optional(hint):
            yield f"{path}.{key}: missing"


def _value_faults(value: Any, hint: Any, path: str) -> list[str]:
    kinds = list(_alternatives(hint))
    if value is None or not kinds or Any in kinds:
        return []
    enums = [k for k in kinds if isinstance(k, type) and issubclass(k, enum.Enum)]
    if enums and isinstance(value, str):  # a string beside an enum has only the enum's values
        known = {member.value for k in enums for member in k}
        return [] if value in known else [f"{path}: {value!r} is not in {enums[0].__name__}"]
    return min((_kind_faults(value, kind, path) for kind in kinds), key=len)


def _kind_faults(value: Any, kind: Any, path: str) -> list[str]:
    origin = get_origin(kind)
    if origin is Literal:
        return [] if value in get_args(kind) else [f"{path}: {value!r} is not of {kind}"]
    wanted = {Sequence: list, Mapping: dict}.get(
        origin, dict if _types.is_input_type(kind) else kind
    )
    if not _is_a(value, wanted):
        return [f"{path}: {value!r} is not a {wanted.__name__}"]
    if origin is Sequence:
        parts = [(f"{path}[{i}]", part) for i, part in enumerate(value)]
    elif origin is Mapping:
        parts = [(f"{path}.{key}", part) for key, part in value.items()]
    elif wanted is dict:
        return list(_block_faults(value, kind, path))
    else:
        return []
    return [f for where, part in parts for f in _value_faults(part, get_args(kind)[-1], where)]


def _is_a(value: Any, kind: type) -> bool:
    if kind in {int, float}:
        return isinstance(value, int | kind) and not isinstance(value, bool)
    return isinstance(value, kind)


def _alternatives(hint: Any) -> Iterator[Any]:
    origin = get_origin(hint)
    if origin in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from _alternatives(part)
    elif not (
        hint is type(None)
        or isinstance(hint, ForwardRef)
        or is_dict_type(hint)  # the same shape once more, beside its Args class
        or origin in {Awaitable, pulumi.Output}
        or hint is pulumi.Output
    ):
        yield hint


def _is_optional(hint: Any) -> bool:
    if get_origin(hint) not in {Union, types.UnionType}:
        return hint is type(None)
    return any(_is_optional(part) for part in get_args(hint))
