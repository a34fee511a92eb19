"""`docs/status.md` names every resource type that was never run on AWS, and its switches."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from infra.artifacts.workspace import ROOT
from tests.infra.conftest import Stacks
from tests.infra.recording import Registered


class _Row:
    """One line of the list."""

    def __init__(self, line: str) -> None:
        _, number, types, switches, _, _ = line.split("|")
        self.number = int(number)
        self.types = set(re.findall(r"`([^`]+)`", types))
        self.switches = set(re.findall(r"`([^`]+)`", switches))


ROWS = tuple(
    _Row(line)
    for line in (ROOT / "docs" / "status.md").read_text().splitlines()
    if re.match(r"\| \d+ \|", line)
)


@pytest.fixture(scope="module")
def declared(declared_stack: Stacks) -> list[Registered]:
    """What the production example declares, also in the other kinds of network and fleet."""
    return [
        resource
        for graph in (declared_stack("prod"), declared_stack("other"))
        for resource in graph
        if not (resource.is_component or resource.type.startswith("pulumi:"))
    ]


def _kind(token: str) -> str:
    """Return a type as the page has it: `eks.Cluster`, `apps/v1.Deployment`."""
    package, module, name = token.split(":")
    if package == "docker-build":
        return f"{package}.{name}"
    return f"{module if package == 'kubernetes' else module.partition('/')[0]}.{name}"


def _switches(values: Any, parent: str = "") -> Iterator[str]:
    """Yield what is switched on or off; a plain `enabled` by what it enables."""
    if isinstance(values, dict):
        for key, value in values.items():
            if isinstance(value, bool):
                yield to_snake(parent if key == "enabled" else key)
            else:
                yield from _switches(value, key)
    elif isinstance(values, list):
        for value in values:
            yield from _switches(value, parent)


def test_every_type_is_listed_once_and_no_other(declared: list[Registered]) -> None:
    listed = [kind for row in ROWS for kind in row.types]

    assert sorted(listed) == sorted({_kind(resource.type) for resource in declared})


def test_every_switch_of_aws_is_listed_with_its_type(declared: list[Registered]) -> None:
    rows = {kind: row for row in ROWS for kind in row.types}
    set_here = {
        (_kind(resource.type), switch)
        for resource in declared
        if resource.type.startswith(("aws:", "docker-build:"))
        for switch in _switches(resource.inputs)
        if not switch.startswith("method.request.path.")
    }

    assert len(set_here) > 30
    assert {f"{k} {switch}" for k, switch in set_here if switch not in rows[k].switches} == set()


def test_no_switch_is_listed_that_is_not_set(declared: list[Registered]) -> None:
    for row in ROWS:
        inputs = [resource.inputs for resource in declared if _kind(resource.type) in row.types]
        keys = {key for one in inputs for key in re.findall(r"'(\w+)':", str(one))}
        assert row.switches <= keys | {to_snake(key) for key in keys}


def test_the_list_is_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, len(ROWS) + 1))
