"""Any interleaving that Hypothesis finds ends with nothing lost and nothing done twice."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.machine import FaultyStack
from tests.faults.profile import PROFILE
from tests.faults.tally import Tally


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("max_batch_size", [1, 3])
def test_no_interleaving_of_faults_breaks_a_promise(tally: Tally, max_batch_size: int) -> None:
    own = {"tally": tally, "max_batch_size": max_batch_size}
    counted = type("CountedStack", (FaultyStack,), own)
    run_state_machine_as_test(counted, settings=PROFILE.machine)
    assert tally.steps >= PROFILE.least_steps
