"""The stack files that lie in the repository are valid, and are what they say they are."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.instance import Instance
from infra.settings.stack_settings import StackSettings
from tests.infra.conformance import faults
from tests.infra.conftest import stack_file
from tests.infra.custom_resources import check_with_keda
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, record

DEV, PROD = "Pulumi.dev.yaml.example", "Pulumi.prod.yaml.example"
_OWN_KINDS = ("kubernetes:keda.sh", "kubernetes:helm.sh")


@pytest.mark.parametrize("name", ["Pulumi.local.yaml", DEV, PROD])
def test_every_stack_file_declares_a_stack(name: str, artifacts: Artifacts) -> None:
    settings = StackSettings.read(stack_file(name))

    declared = record(lambda: declare_stack(settings, artifacts))

    deployments = {
        f"{model}-{deployment}"
        for model, given in settings.models.items()
        for deployment in given.deployments
    }
    assert {d.name for d in declared.of_type(":WorkerDeployment")} == deployments


@pytest.fixture(scope="module", params=[DEV, PROD])
def example(request: pytest.FixtureRequest, artifacts: Artifacts) -> Declared:
    """The whole stack of an example."""
    settings = StackSettings.read(stack_file(request.param))
    return record(lambda: declare_stack(settings, artifacts))


def test_the_providers_take_an_example(example: Declared) -> None:
    for resource in example:
        if resource.type.startswith(("aws:", "docker-build:")):
            assert faults(resource) == []
        elif resource.type.startswith("kubernetes:") and not resource.type.startswith(_OWN_KINDS):
            check_manifest(resource.inputs, "1.35")
    for scaling in example.of_type(":ScaledObject"):
        check_with_keda(scaling.inputs)


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
