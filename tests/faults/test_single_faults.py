"""Every call on the way of a request meets every fault in turn; the request ends all the same."""

from itertools import combinations

import pytest

from tests.faults.profile import PROFILE
from tests.faults.rehearsal import calls_of, failure, single_faults, unexpected_end
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.simulation.fates import FAULTS, Fate
from tests.faults.tally import Tally

pytestmark = pytest.mark.usefixtures("virtual_time")


def _by_name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", SCENARIOS, ids=_by_name)
def test_without_faults_the_request_ends_as_its_scenario_says(
    scenario: Scenario,
) -> None:
    assert unexpected_end(scenario) is None


@pytest.mark.spec("baseten", 25)
@pytest.mark.spec("sagemaker", 9)
@pytest.mark.parametrize("fate", FAULTS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=_by_name)
def test_any_one_call_may_fail(scenario: Scenario, fate: Fate, tally: Tally) -> None:
    plans = single_faults(scenario, fate)
    assert [wrong for plan in plans if (wrong := failure(scenario, plan, tally))] == []


@pytest.mark.spec("baseten", 25)
@pytest.mark.spec("sagemaker", 9)
@pytest.mark.skipif(not PROFILE.crashes_in_pairs, reason="only in the long profile")
@pytest.mark.parametrize("second", [Fate.CRASH_BEFORE, Fate.CRASH_AFTER])
@pytest.mark.parametrize("first", [Fate.CRASH_BEFORE, Fate.CRASH_AFTER])
def test_any_two_calls_may_be_the_last_of_their_process(
    first: Fate, second: Fate, tally: Tally
) -> None:
    scenario = SCENARIOS[0]
    # A crash makes the way longer: the second may be met where the first try had ended.
    pairs = combinations(range(2 * len(calls_of(scenario))), 2)
    plans = ({n: first, m: second} for n, m in pairs)
    assert [wrong for plan in plans if (wrong := failure(scenario, plan, tally))] == []
