"""Stacks to look at: declared once, without an engine, an account or a socket."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.workspace import ROOT
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.graph.lifelike import Lifelike
from tests.infra.recording import Declared, record
from tests.infra.unbuilt import unbuilt_artifacts

Declare = Callable[[Callable[[], Any]], Declared]
Stacks = Callable[[str], Declared]
MIRROR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mirror"


@pytest.fixture
def declare() -> Declare:
    """Declares components one by one."""
    return record


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """Built parts that nobody built."""
    return unbuilt_artifacts(tmp_path_factory.mktemp("artifacts"))


def stack_file(name: str) -> Path:
    return ROOT / name


@pytest.fixture(scope="session")
def settings() -> StackSettings:
    """Models on a cluster that is there."""
    return StackSettings.read(stack_file("tests/infra/Pulumi.existing-cluster.yaml"))


@pytest.fixture(scope="session")
def created_settings(settings: StackSettings) -> StackSettings:
    """The same models on a cluster of the stack's own."""
    values = settings.model_dump(mode="json", exclude_none=True)
    new = {
        "public_access_cidrs": ["198.51.100.0/24"],
        "admin_role_arns": ["arn:aws:iam::123456789012:role/deployer"],
    }
    return StackSettings.checked(
        {**values, "network": {}, "cluster": {"name": "penstock-dev", "create": new}}
    )


@pytest.fixture(scope="session")
def stack(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """All of it, declared."""
    return record(lambda: declare_stack(settings, artifacts))


def settings_of(name: str) -> StackSettings:
    """Return an example's settings; those of `other` choose what neither example does."""
    example = "prod" if name == "other" else name
    values = StackSettings.read(stack_file(f"Pulumi.{example}.yaml.example"))
    if name != "other":
        return values
    other: dict[str, Any] = values.model_dump(mode="json", exclude_none=True)
    other["network"]["egress"] = "private"
    other["cluster"]["create"]["image_mirror"] = MIRROR
    other["cluster"]["create"]["fleet"]["autoscaler"] = "karpenter"
    other["models"]["ocr"]["deployments"]["v1"]["watch_spot_notice"] = True
    return StackSettings.checked(other)


@pytest.fixture(scope="session")
def declared_stack(artifacts: Artifacts) -> Stacks:
    """Declares a stack at the first call for it."""

    @cache
    def declared(name: str) -> Declared:
        settings = settings_of(name)
        answers = Lifelike(settings.region)
        return record(lambda: declare_stack(settings, artifacts), stack=name, answers=answers)

    return declared
