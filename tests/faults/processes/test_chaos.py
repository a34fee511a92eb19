from pathlib import Path

import pytest

from tests.faults.processes.chaos.plan import Plan
from tests.faults.processes.chaos.run import run_chaos

pytestmark = [pytest.mark.e2e, pytest.mark.faults]


def test_no_promise_is_broken_while_workers_are_killed_and_aws_fails(tmp_path: Path) -> None:
    report = run_chaos(Plan(requests=100, limit_seconds=300), tmp_path)

    assert not report.broken, report.line
    assert report.kills > 0
    assert report.faults > 0
    assert report.model_calls > report.requests
