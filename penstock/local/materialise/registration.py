"""A registered resource, and what every materialiser makes of one."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from penstock.contracts.errors import PenstockError
from penstock.local.emulated_aws import EmulatedAws


class MaterialiseError(PenstockError):
    """The local stack cannot hold what the program declares; the text names the resource."""


class Made(NamedTuple):
    """What Pulumi is told of a resource that now exists."""

    id: str
    outputs: Mapping[str, Any]


class Registration:
    """The type, name and inputs of one resource.

    A materialiser takes every input it acts upon and passes over those that make no difference
    here. An input that is neither was added to the program and not to the local stack: an error.
    """

    def __init__(self, type_: str, name: str, inputs: Mapping[str, Any]) -> None:
        self.type = type_
        self.name = name
        self.inputs = inputs
        self._untouched = set(inputs)

    def take(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - inputs are JSON
        """Return an optional input."""
        self._untouched.discard(key)
        return self.inputs.get(key, default)

    def need(self, key: str) -> Any:  # noqa: ANN401 - inputs are JSON
        """Return an input that must be there."""
        if key not in self.inputs:
            raise MaterialiseError(f"{self}: input {key} is missing")
        return self.take(key)

    def pass_over(self, *keys: str) -> None:
        """Say that these inputs make no difference in the emulator."""
        self._untouched.difference_update(keys)

    def check_complete(self) -> None:
        """Raise if an input was neither taken nor passed over."""
        if self._untouched:
            unknown = ", ".join(sorted(self._untouched))
            raise MaterialiseError(f"{self}: the local stack does not know input {unknown}")

    def made(self, id_: str, **outputs: object) -> Made:
        """Return `outputs` on top of the inputs, which Pulumi hands back as well."""
        return Made(id_, {**self.inputs, **outputs})

    def __str__(self) -> str:
        return f"{self.type} {self.name!r}"


Materialiser = Callable[[EmulatedAws, Registration], Made]
"""Makes one resource."""
