"""Any interleaving that Hypothesis finds ends with nothing lost and nothing done twice."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import FaultyStack
from tests.faults.profile import PROFILE
from tests.faults.tally import Tally


@pytest.mark.usefixtures("virtual_time")
def test_no_interleaving_of_faults_breaks_a_promise(tally: Tally) -> None:
    counted = type("CountedStack", (FaultyStack,), {"tally": tally})
    run_state_machine_as_test(counted, settings=PROFILE.machine)
    assert tally.steps >= PROFILE.least_steps
