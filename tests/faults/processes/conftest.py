"""One local stack with a fault proxy for all tests of processes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.processes.crash_points import MODEL
from tests.faults.processes.faulty_stack import FaultyStack, faulty_stack

ONE_WARM_WORKER = {"min_replica": 1, "max_replica": 1, "scale_down_delay": 3}
MODELS: dict[str, dict[str, Any]] = {
    MODEL: {"autoscaling": {**ONE_WARM_WORKER, "concurrency_target": 32}, "drain_seconds": 2},
}


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyStack]:
    with faulty_stack(tmp_path_factory.mktemp("faulty"), MODELS) as running:
        assert running.subscriber
        yield running
