"""Which deployments may let requests share a call."""

from typing import Any

import pytest

from infra.settings.model_settings import DeploymentSettings
from penstock.contracts.errors import SettingsError


def _deployment(size: int = 32, target: int = 64, **changes: Any) -> dict[str, Any]:
    return {
        "truss": "examples/models/embeddings",
        "instance": "CPU:2x4",
        "batching": {"max_batch_size": size},
        "autoscaling": {"concurrency_target": target},
        **changes,
    }


def _complaint(values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        DeploymentSettings.checked(values, root="deployment")
    return str(refused.value)


@pytest.mark.parametrize("target", [32, 48, 64])
def test_a_batch_fits_into_what_may_run_at_once(target: int) -> None:
    batching = DeploymentSettings.checked(_deployment(32, target)).batching

    assert batching is not None
    assert (batching.max_batch_size, batching.max_wait_ms) == (32, 5)


def test_a_batch_that_could_never_fill_is_refused() -> None:
    assert _complaint(_deployment(32, 31)) == (
        "deployment: batching.max_batch_size is 32, but autoscaling.concurrency_target, which"
        " counts requests, is 31: make it 64, or 32 at least"
    )


@pytest.mark.parametrize("size", [0, 1, 129])
def test_a_batch_is_of_two_to_128(size: int) -> None:
    assert _complaint(_deployment(size, 256)).startswith("deployment.batching.max_batch_size: ")


def test_containers_of_sagemaker_take_no_batches() -> None:
    container: dict[str, Any] = {
        "truss": None,
        "container": "examples/containers/echo",
        "preset": "sagemaker",
    }

    assert _complaint(_deployment(**container)) == (
        "deployment: batching: containers of preset sagemaker take one request in a call"
    )


def test_a_server_of_ones_own_may_take_batches() -> None:
    container: dict[str, Any] = {
        "truss": None,
        "container": "examples/containers/echo",
        "preset": "http",
    }

    assert DeploymentSettings.checked(_deployment(**container)).batching is not None


def test_one_stopped_request_never_restarts_the_server_of_its_batch() -> None:
    complaint = _complaint(_deployment(restart_after_stop=True))

    assert complaint.startswith("deployment: batching and restart_after_stop: ")
