"""What the list of keys says of each becomes true for a value that asks for something."""

from collections.abc import Collection, Iterator
from functools import reduce
from typing import Any

import pytest

from infra.artifacts.truss.config_file import config_findings
from infra.artifacts.truss.config_keys import FORMER_KEYS, KEYS
from infra.artifacts.truss.treatment import Asked, Place, Treatment
from infra.settings.model_settings import DeploymentSettings

ASKING: dict[str, Any] = {
    "build.model_server": "TRT_LLM",
    "docker_server.server_port": 8080,
    "environment_variables": {"PENSTOCK_X": "1"},
    "resources.accelerator": "L4",
    "resources.cpu": "1500m",
    "resources.memory": "3Gi",
    "resources.node_count": 2,
    "runtime.egress_restrictions": {},
    "runtime.transport.kind": "grpc",
    "secrets": {"token": None},
    "system_packages": ["ffmpeg"],
}
"""Values that ask for something where `true` does not."""

AS_GOOD_AS_ABSENT: tuple[Any, ...] = (None, [], {}, "", False)


def cases(*treatments: Treatment) -> list[tuple[Place, str]]:
    return [*_cases(treatments)]


def _cases(treatments: Collection[Treatment]) -> Iterator[tuple[Place, str]]:
    for place, keys in KEYS.items():
        for path, key in keys.items():
            names = path.split(".")
            above = (".".join(names[:length]) for length in range(1, len(names)))
            if key.treatment in treatments and not any(a in keys for a in above):
                yield place, path


def found(place: Place, path: str, value: Any) -> list[tuple[Treatment, str]]:
    config = reduce(lambda inner, name: {name: inner}, reversed(path.split(".")), value)
    deployment = DeploymentSettings.checked({"truss": "x", "instance": "CPU:1x2"})
    findings = config_findings(place, Asked(config, deployment))
    return [(f.treatment, f.text.removeprefix("config.yaml: ").split(": ")[0]) for f in findings]


@pytest.mark.parametrize(("place", "path"), cases(Treatment.NOTED, Treatment.REFUSED))
def test_a_key_that_is_said_to_be_noted_or_refused_is(place: Place, path: str) -> None:
    treatment = KEYS[place][path].treatment
    assert found(place, path, ASKING.get(path, True)) == [(treatment, path)]


@pytest.mark.parametrize(("place", "path"), cases(Treatment.FOLLOWED))
def test_a_key_that_is_said_to_be_followed_is_passed_over(place: Place, path: str) -> None:
    assert found(place, path, ["x"]) == []


@pytest.mark.parametrize(("place", "path"), cases(*Treatment))
def test_a_value_that_truss_itself_writes_for_nothing_is_passed_over(
    place: Place, path: str
) -> None:
    values: tuple[Any, ...] = AS_GOOD_AS_ABSENT
    if path == "runtime.egress_restrictions":
        values = (None,)
    if path == "runtime.streaming_read_timeout":
        values = (None, 60)
    if path == "runtime.transport.kind":
        values = (None, "http")
    assert [found(place, path, value) for value in values] == [[] for _ in values]


@pytest.mark.parametrize(("place", "path"), cases(*Treatment))
def test_a_value_that_makes_no_sense_is_left_to_truss(place: Place, path: str) -> None:
    for value in (3.5, "x:y:z", ["x"], {"x": ["y"]}, [[1]], {1: None}, -1):
        assert all(each is KEYS[place][path].treatment for each, _ in found(place, path, value))


@pytest.mark.parametrize(("place", "former"), [(p, f) for p in KEYS for f in FORMER_KEYS])
def test_a_former_key_is_treated_as_its_successor(place: Place, former: str) -> None:
    treated = found(place, FORMER_KEYS[former], [1])
    assert [each for each, _ in found(place, former, [1])] == [each for each, _ in treated]
