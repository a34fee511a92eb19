"""Stacks to look at: declared once, without an engine, an account or a socket."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.workspace import ROOT
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.recording import Declared, record

Declare = Callable[[Callable[[], Any]], Declared]


@pytest.fixture
def declare() -> Declare:
    """Declares components one by one."""
    return record


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """Built parts that nobody built."""
    folder = tmp_path_factory.mktemp("artifacts")
    (folder / "functions.zip").touch()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return Artifacts(
        lambda_archive=lambda: folder / "functions.zip", model_context=lambda _truss: folder
    )


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
