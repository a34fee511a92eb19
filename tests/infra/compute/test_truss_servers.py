"""What a Truss directory says of its server reaches the pod."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.model_settings import ModelSettings
from infra.settings.stack_settings import StackSettings
from penstock.local.pods.workload import Workload
from tests.infra.recording import Declared, record

DECLARED = {"THREADS": "2", "TRACE": "true", "HOME": "/home/model", "PRICE": "$$5 for $(HOME)"}


def _config(folder: Path, **variables: str) -> Path:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "config.yaml").write_text(yaml.safe_dump({"environment_variables": variables}))
    return folder


def _served(
    settings: StackSettings, artifacts: Artifacts, context: Path, **deployment: Any
) -> Declared:
    """Declare one model whose image is made from `context`."""
    given = {"truss": "examples/models/echo", "instance": "CPU:1x2", **deployment}
    model = ModelSettings.checked({"deployments": {"v1": given}})
    changed = settings.model_copy(update={"models": {"echo": model}})
    built = dataclasses.replace(artifacts, model_context=lambda _truss: context)
    return record(lambda: declare_stack(changed, built))


def _environment(served: Declared) -> dict[str, str]:
    """Return what the server's process is given, as Kubernetes reads the pod."""
    workload = Workload.of(served.named("echo-v1-workers", "apps/v1:Deployment").inputs)
    (server,) = (c for c in workload.containers if c.name == "model-server")
    return dict(server.environment)


def test_the_variables_of_a_truss_directory_are_in_its_pod_as_they_were_written(
    settings: StackSettings, artifacts: Artifacts, tmp_path: Path
) -> None:
    served = _served(settings, artifacts, _config(tmp_path, **DECLARED))

    assert _environment(served) == DECLARED


def test_the_variables_of_a_deployment_go_before_those_of_its_truss_directory(
    settings: StackSettings, artifacts: Artifacts, tmp_path: Path
) -> None:
    own = {"THREADS": "4", "PRICE": "$$6"}
    context = _config(tmp_path, **DECLARED)
    served = _served(settings, artifacts, context, environment_variables=own)

    assert _environment(served) == {**DECLARED, **own}
