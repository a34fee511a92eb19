"""What the AWS provider's SDK says about a type and its inputs."""

from collections.abc import Mapping
from typing import Any

from tests.infra.conformance import faults
from tests.infra.recording import Registered


def unknown_keys(kind: str, inputs: Mapping[str, Any]) -> list[str]:
    """Return the keys of `inputs`, at any depth, that a type does not have."""
    resource = Registered(
        urn="",
        type=kind,
        name="it",
        inputs=dict(inputs),
        outputs={},
        parent="",
        provider="",
        depends_on=frozenset(),
        origins={},
        ignored_changes=(),
        secrets=frozenset(),
        is_component=False,
        is_protected=False,
    )
    return [fault for fault in faults(resource) if fault.endswith("unknown key")]


def has_tags(kind: str) -> bool:
    """Return whether resources of a type carry tags."""
    return not unknown_keys(kind, {"tags": {"Owner": "ml"}})
