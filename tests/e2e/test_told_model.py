"""What a Truss model is told of where it runs, by the real Truss server."""

import json
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def told(stack: Stack) -> dict[str, Any]:
    """What the model answers."""
    names = ["A_NUMBER", "A_CHOICE", "A_PRICE", "OVERRIDDEN"]
    request_id = stack.submit("told", names)
    stack.wait_for("told", request_id, "SUCCEEDED", 120)
    with stack.caller() as http:
        answer = http.get(f"/models/told/async_request/{request_id}/result")
    body: dict[str, Any] = answer.json()
    return body


def test_a_model_is_told_its_environment_before_it_loads(told: dict[str, Any]) -> None:
    assert told["init"] == told["load"] == json.loads(told["file"]) == {"name": "production"}


def test_a_model_has_the_variables_of_its_directory_and_those_of_its_deployment_first(
    told: dict[str, Any],
) -> None:
    assert told["variables"] == {
        "A_NUMBER": "2",
        "A_CHOICE": "true",
        "A_PRICE": "$$5 for $(HOME)",
        "OVERRIDDEN": "by the deployment",
    }
