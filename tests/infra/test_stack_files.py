"""The stack files that lie in the repository are valid, and are what they say they are."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.instance import Instance
from infra.settings.stack_settings import StackSettings
from tests.infra.conftest import Stacks, stack_file
from tests.infra.recording import record

DEV, PROD = "Pulumi.dev.yaml.example", "Pulumi.prod.yaml.example"


def _deployments(settings: StackSettings) -> set[str]:
    return {
        f"{model}-{deployment}"
        for model, given in settings.models.items()
        for deployment in given.deployments
    }


@pytest.mark.parametrize(("name", "file"), [("dev", DEV), ("prod", PROD)])
def test_an_example_declares_a_stack(name: str, file: str, declared_stack: Stacks) -> None:
    settings = StackSettings.read(stack_file(file))

    workers = declared_stack(name).of_type(":WorkerDeployment")
    assert {worker.name for worker in workers} == _deployments(settings)


def test_the_file_of_the_local_stack_declares_one(artifacts: Artifacts) -> None:
    settings = StackSettings.read(stack_file("Pulumi.local.yaml"))

    declared = record(lambda: declare_stack(settings, artifacts))

    workers = declared.of_type(":WorkerDeployment")
    assert {worker.name for worker in workers} == _deployments(settings)


def test_dev_is_small_and_sleeps() -> None:
    settings = StackSettings.read(stack_file(DEV))

    assert settings.network
    assert settings.network.egress == "nat-single"
    assert settings.cluster.create
    assert settings.cluster.create.fleet.capacity == ("spot",)
    assert {d.autoscaling.min_replica for d in settings.deployments} == {0}
    assert not settings.is_protected


def test_prod_outlives_a_zone_and_a_mistake() -> None:
    settings = StackSettings.read(stack_file(PROD))

    assert settings.network
    assert settings.network.egress == "nat-per-az"
    assert len(settings.network.zones) == 3
    assert settings.cluster.create
    assert settings.cluster.create.fleet.capacity == ("spot", "on-demand")
    assert settings.is_protected
    assert settings.api.domain
    assert settings.api.firewall
    gpus = {Instance.parse(d.instance).gpu for d in settings.deployments}
    assert {"L4", "L40S", None} <= gpus
