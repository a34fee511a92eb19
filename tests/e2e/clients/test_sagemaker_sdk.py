"""AsyncPredictor of the SageMaker SDK, which does not install beside our own packages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.conftest import ENDPOINT, Clients
from tests.e2e.clients.isolated import run, script, skip_unless_installable

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).parent / "scripts" / "async_predictor.py"
PROBE = {"inputs": "probe"}

Outcomes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def outcomes(clients: Clients) -> Outcomes:
    skip_unless_installable(SCRIPT)
    printed = run(clients, script(SCRIPT, ENDPOINT))
    found: Outcomes = json.loads(printed.splitlines()[-1])  # the SDK itself prints too
    return found


@pytest.mark.spec("sagemaker", 6)
def test_a_result_is_absent_until_it_is_there(outcomes: Outcomes) -> None:
    assert outcomes["too early"]["error"] == "ObjectNotExistedError"
    assert outcomes["waited for"]["heard"] == PROBE
    assert outcomes["asked again"]["heard"] == PROBE


@pytest.mark.spec("sagemaker", 6, 7)
def test_a_failing_model_is_the_error_that_the_sdk_has_for_it(outcomes: Outcomes) -> None:
    assert outcomes["failed"]["error"] == "AsyncInferenceModelError"
    assert "asked to answer 400" in outcomes["failed"]["text"]


def test_submitting_and_waiting_is_one_call(outcomes: Outcomes) -> None:
    assert outcomes["in one call"]["heard"] == PROBE


def test_refusals_are_errors_of_the_runtime_client(outcomes: Outcomes) -> None:
    assert outcomes["unknown endpoint"]["error"] == "ValidationError"
    assert "InvalidSignatureException" in outcomes["wrong secret"]["text"]
