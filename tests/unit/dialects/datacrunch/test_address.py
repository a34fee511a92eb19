"""What a deployment's name may mean."""

import pytest

from penstock.contracts.errors import UnknownModelError
from penstock.dialects.datacrunch.address import read_address
from tests.unit.dialects.calls import a_call


def readings(name: str) -> list[tuple[str, str | None, str | None]]:
    call = a_call("/containers/{deployment}", path_parameters={"deployment": name})
    found = read_address(call).readings
    return [(target.model_id, target.environment, target.deployment_id) for target in found]


def test_a_plain_name_is_a_model() -> None:
    assert readings("ocr") == [("ocr", None, None)]


def test_every_hyphen_may_part_a_model_from_environment_or_deployment() -> None:
    assert readings("a-b-c") == [
        ("a-b-c", None, None),
        ("a-b", "c", None),
        ("a-b", None, "a-b-c"),
        ("a", "b-c", None),
        ("a", None, "a-b-c"),
    ]


@pytest.mark.parametrize("name", ["-", "-a", "a-"])
def test_a_hyphen_at_an_end_parts_nothing(name: str) -> None:
    assert readings(name) == [(name, None, None)]


@pytest.mark.parametrize("name", ["status", "result"])
def test_reserved_names_are_told_apart(name: str) -> None:
    with pytest.raises(UnknownModelError, match=f"GET /containers/{name}/"):
        readings(name)
