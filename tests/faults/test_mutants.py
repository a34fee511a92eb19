"""The suite can fail: each mistake in the protocol is caught."""

import pytest

from tests.faults.long_scenarios import LONG_SCENARIOS
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.rehearsal import first_failure, unexpected_end
from tests.faults.safeguards import SAFEGUARDS
from tests.faults.scenarios import SCENARIOS
from tests.faults.simulation.fates import FAULTS

_SCENARIOS = {scenario.name: scenario for scenario in SCENARIOS}
_LONG_SCENARIOS = {scenario.name: scenario for scenario in LONG_SCENARIOS}


def _by_name(mutant: Mutant) -> str:
    return mutant.name


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("mutant", MUTANTS + SAFEGUARDS, ids=_by_name)
def test_a_mistake_in_the_protocol_is_caught(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.make(monkeypatch)
    if scenario := _LONG_SCENARIOS.get(mutant.scenario):
        assert unexpected_end(scenario)
    else:
        fates = FAULTS if mutant.fate is None else (mutant.fate,)
        assert first_failure(_SCENARIOS[mutant.scenario], fates)
