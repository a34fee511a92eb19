"""One local stack for all tests that do not break it."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack, running_stack, settings_of

AUTOSCALING = {"max_replica": 2, "concurrency_target": 4, "scale_down_delay": 3}
ONE_WORKER = {"max_replica": 1, "concurrency_target": 1, "scale_down_delay": 3}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = settings_of(
        echo={"autoscaling": AUTOSCALING},
        single={"autoscaling": ONE_WORKER, "hold_budget_seconds": 0.5},
        told={
            "truss": "tests/e2e/models/told",
            "autoscaling": ONE_WORKER,
            "environment_variables": {"OVERRIDDEN": "by the deployment"},
        },
        renamed={"truss": "tests/e2e/models/renamed", "autoscaling": ONE_WORKER},
        together={
            "truss": "tests/e2e/models/together",
            "batching": {"max_batch_size": 4, "max_wait_ms": 50},
            "autoscaling": {**ONE_WORKER, "concurrency_target": 8},
        },
    )
    with running_stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running
