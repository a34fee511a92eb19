"""The suite can fail: each mistake in the protocol is caught."""

import pytest

from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.rehearsal import first_failure
from tests.faults.scenarios import SCENARIOS

_SCENARIOS = {scenario.name: scenario for scenario in SCENARIOS}


def _by_name(mutant: Mutant) -> str:
    return mutant.name


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("mutant", MUTANTS, ids=_by_name)
def test_a_mistake_in_the_protocol_is_caught(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.make(monkeypatch)
    assert first_failure(_SCENARIOS[mutant.scenario])
