"""Which type of CloudFormation a resource is, and what its inputs become."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.infra.graph.cloudformation.properties import Property


@dataclass(frozen=True)
class Kind:
    """A resource of its own."""

    type: str
    properties: Mapping[str, Property]
    name: str | None = None
    """The property with its physical name, given by the program or by Pulumi."""


@dataclass(frozen=True)
class Part:
    """What CloudFormation has as properties of another resource."""

    owner: str
    """The type of the resource that it belongs to."""

    keys: Mapping[str, str]
    """Its inputs by which the owner is found, and the output of the owner that they equal."""

    properties: Mapping[str, Property]
