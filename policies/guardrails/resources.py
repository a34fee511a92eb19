"""A resource and a stack as rules see them."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from pulumi_policy import PolicyResource, ResourceValidationArgs

from .reading import UNKNOWN, at, matches, parts, plain

_NAMES = ("id", "arn", "name", "bucket", "url")
"""The outputs by which other resources name one."""

THROWAWAY_STACKS = ("dev", "dev-*", "local", "test", "test-*", "sandbox", "sandbox-*")
"""Stacks whose data nobody misses. A stack of any other name is held to be in production."""


class Resource:
    """A resource with its values in plain sight."""

    def __init__(self, given: ResourceValidationArgs | PolicyResource) -> None:
        self._given = given
        self.type, self.name, self.urn = given.resource_type, given.name, given.urn
        self.is_protected = bool(given.opts.protect)

    @cached_property
    def props(self) -> dict[str, Any]:
        """Inputs, or for stack policies outputs."""
        props: dict[str, Any] = plain(self._given.props)
        return props

    @cached_property
    def provider_props(self) -> dict[str, Any]:
        """What the resource's provider was told."""
        provider = self._given.provider
        return plain(provider.props) if provider else {}

    @property
    def stack_name(self) -> str:
        """The name of the stack that declares it."""
        return self.urn.split(":")[2]

    def is_in(self, stacks: Iterable[str]) -> bool:
        """Return whether it belongs to a stack of one of these names; `*` stands for anything."""
        return matches(self.stack_name, stacks)

    def at(self, *path: str) -> Any:  # noqa: ANN401 - whatever lies there
        """Return what lies under `path` of its values; see `reading.at`."""
        return at(self.props, *path)

    def may_refer_to(self, other: "Resource", *path: str) -> bool:
        """Return whether the value under `path` names `other`, or may."""
        origins = self._origins(path[0])
        if other.urn in origins:
            return True
        value = self.at(*path)
        if value is UNKNOWN:
            return not origins
        return any(
            name in other.names for name in parts(value if isinstance(value, list) else [value])
        )

    def may_refer_to_anything(self, *path: str) -> bool:
        """Return whether nobody knows what the value under `path` names, nor what it is made of."""
        return self.at(*path) is UNKNOWN and not self._origins(path[0])

    @cached_property
    def names(self) -> frozenset[str]:
        """What others may call it by."""
        values = (self.props.get(key) for key in _NAMES)
        return frozenset(value for value in values if isinstance(value, str))

    def _origins(self, key: str) -> set[str]:
        given = self._given
        if isinstance(given, ResourceValidationArgs):
            return set()
        return {origin.urn for origin in given.property_dependencies.get(key, ())}


class Stack:
    """All resources of a stack."""

    def __init__(self, resources: Iterable[PolicyResource]) -> None:
        self._by_type: dict[str, list[Resource]] = {}
        for given in resources:
            resource = Resource(given)
            self._by_type.setdefault(resource.type, []).append(resource)

    def of(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these types."""
        for wanted in types:
            yield from self._by_type.get(wanted, ())

    def referring_to(self, target: Resource, types: Iterable[str], *path: str) -> list[Resource]:
        """Return the resources of `types` whose value under `path` names `target`, or may."""
        return [r for r in self.of(*types) if r.may_refer_to(target, *path)]
