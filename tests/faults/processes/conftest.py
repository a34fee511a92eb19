"""One local stack with a fault proxy for all tests of processes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.processes import crash_points
from tests.faults.processes.faulty_stack import FaultyStack, faulty_stack

ONE_WORKER = {"max_replica": 1, "scale_down_delay": 3}
MODELS: dict[str, dict[str, Any]] = {
    crash_points.MODEL: {
        "autoscaling": {**ONE_WORKER, "min_replica": 1, "concurrency_target": 32},
        "drain_seconds": 2,
    },
    "single": {"autoscaling": ONE_WORKER},
    "stubborn": {"autoscaling": ONE_WORKER, "restart_after_stop": True},
}


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    with faulty_stack(tmp_path_factory.mktemp("faulty"), MODELS) as running:
        assert running.subscriber  # from now on it hears everything
        yield running
