"""The stack files that lie in the repository are valid."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.conftest import stack_file
from tests.infra.recording import record


@pytest.mark.parametrize("name", ["Pulumi.local.yaml", "Pulumi.dev.yaml.example"])
def test_every_stack_file_declares_a_stack(name: str, artifacts: Artifacts) -> None:
    settings = StackSettings.read(stack_file(name))

    declared = record(lambda: declare_stack(settings, artifacts))

    deployments = {
        f"{model}-{deployment}"
        for model, given in settings.models.items()
        for deployment in given.deployments
    }
    assert {d.name for d in declared.of_type(":WorkerDeployment")} == deployments
