"""What only shows after minutes or days: too many calls for each to meet every fault."""

import pytest

from tests.faults.long_scenarios import LONG_SCENARIOS
from tests.faults.rehearsal import unexpected_end
from tests.faults.scenarios import Scenario

pytestmark = pytest.mark.usefixtures("virtual_time")


def _by_name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", LONG_SCENARIOS, ids=_by_name)
def test_a_long_run_ends_as_its_scenario_says(scenario: Scenario) -> None:
    assert unexpected_end(scenario) is None
