"""One stack in an AWS of this process, and what its processes ask of AWS; recorded once."""

from typing import Any

import pytest
from moto import mock_aws

from infra.artifacts.artifacts import Artifacts
from infra.settings.stack_settings import StackSettings
from penstock.adapters.aws.clients import forget_clients
from tests.aws_variables import set_aws_variables
from tests.iam.account import Account, open_account
from tests.iam.callers import INPUTS, OUTPUTS, Callers
from tests.iam.processes import MODEL_ROLE, started
from tests.iam.recorder import Call, Recorder
from tests.iam.walk.asking import ask
from tests.iam.walk.delivering import deliver
from tests.iam.walk.submitting import submit
from tests.iam.walk.sweeping import sweep
from tests.iam.walk.working import work
from tests.infra.conftest import artifacts, created_settings, settings
from tests.infra.recording import ACCOUNT
from tests.integration.functions.receiver import a_receiver

__all__ = ["artifacts", "created_settings", "settings"]

_DEPLOYMENT: dict[str, Any] = {
    "image": "r@sha256:" + "0" * 64,
    "preset": "http",
    "predict_path": "/predict",
    "health_path": "/health",
    "instance": "CPU:1x2",
    "lease_seconds": 12,  # a busy machine must not lose leases: then nothing ends in time
    "drain_seconds": 10,
    "input_buckets": [INPUTS],
    "model_role": MODEL_ROLE,
    "sagemaker": {
        "output_path": f"s3://{OUTPUTS}/done",
        "failure_path": f"s3://{OUTPUTS}/failed",
        "success_topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:callers-done",
        "error_topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:callers-failed",
        "include_response_in": ["success", "error"],
    },
}
_CHANGED: dict[str, Any] = {
    "encryption": "customer",
    "tenants": {
        "requests_per_second": 1_000,
        "outstanding_requests": 1_000,
        "status_calls_per_second": 1_000,
    },
    "webhooks": {"allow_local": True},
    "models": {"ocr": {"deployments": {"v1": _DEPLOYMENT}}},
}


@pytest.fixture(scope="session")
def all_settings(created_settings: StackSettings) -> StackSettings:
    """A stack in which everything is switched on that asks something of AWS."""
    values = created_settings.model_dump(mode="json", exclude_none=True)
    return StackSettings.checked({**values, **_CHANGED})


@pytest.fixture(scope="session")
def _walked(
    all_settings: StackSettings, artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Account, list[Call]]:
    recorder = Recorder()
    with pytest.MonkeyPatch.context() as patched, mock_aws(), recorder.attached():
        set_aws_variables(patched)
        patched.setenv("AWS_REGION", all_settings.region)
        # A long poll of moto's burns a core.
        patched.setattr("runtime_image.dispatcher.scheduling.lanes._WAIT_SECONDS", 0)
        patched.setattr("penstock.adapters.aws.dead_letters._WAIT_SECONDS", 0)
        forget_clients()
        account = open_account(all_settings, artifacts)
        with started(account, recorder) as processes, a_receiver() as receiver:
            callers = Callers(processes)
            submit(callers)
            ask(callers, work(callers))
            processes.assume_model_role(tmp_path_factory.mktemp("token"))
            deliver(callers, receiver.url)
            sweep(callers)
    forget_clients()
    return account, recorder.calls


@pytest.fixture(scope="session")
def account(_walked: tuple[Account, list[Call]]) -> Account:
    return _walked[0]


@pytest.fixture(scope="session")
def calls(_walked: tuple[Account, list[Call]]) -> list[Call]:
    return _walked[1]
