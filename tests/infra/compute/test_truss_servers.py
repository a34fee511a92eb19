"""What a Truss directory says of its server reaches the pod."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.model_settings import ModelSettings
from infra.settings.stack_settings import StackSettings
from penstock.local.pods.workload import Workload
from tests.infra.recording import Declared, record

TRUSS = {"truss": "examples/models/echo", "instance": "CPU:1x2"}
DECLARED = {"THREADS": "2", "TRACE": "true", "HOME": "/home/model", "PRICE": "$$5 for $(HOME)"}


def _config(folder: Path, **variables: str) -> Path:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "config.yaml").write_text(yaml.safe_dump({"environment_variables": variables}))
    return folder


def _served(
    settings: StackSettings, artifacts: Artifacts, context: Path, **deployment: Any
) -> Declared:
    """Declare one model whose image is made from `context`."""
    built = dataclasses.replace(artifacts, model_context=lambda _truss: context)
    return _declared(settings, built, {"deployments": {"v1": {**TRUSS, **deployment}}})


def _declared(settings: StackSettings, artifacts: Artifacts, model: dict[str, Any]) -> Declared:
    changed = settings.model_copy(update={"models": {"echo": ModelSettings.checked(model)}})
    return record(lambda: declare_stack(changed, artifacts))


def _two_versions(settings: StackSettings, artifacts: Artifacts, **environments: str) -> Declared:
    deployments = {"v1": TRUSS, "v2": TRUSS}
    model = {"deployments": deployments, "environments": environments}
    return _declared(settings, artifacts, model)


def _pods(declared: Declared) -> dict[str, Any]:
    """Return the specs of all pods, by deployment."""
    found = declared.of_type("apps/v1:Deployment")
    return {r.inputs["metadata"]["name"]: r.inputs["spec"]["template"] for r in found}


def _told(declared: Declared) -> dict[str, Any]:
    """Return what each model finds in its file, by deployment: the volume leads to it."""
    files = {r.inputs["metadata"]["name"]: r.inputs["data"] for r in declared.of_type(":ConfigMap")}
    told = {}
    for name, pod in _pods(declared).items():
        (server,) = pod["spec"]["initContainers"]
        mounts = {m["mountPath"]: m for m in server["volumeMounts"]}
        mount = mounts["/etc/b10_dynamic_config"]
        volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
        config_map = volumes[mount["name"]]["configMap"]["name"]
        assert mount["readOnly"]
        assert "subPath" not in mount  # kubelet would never bring what changed
        told[name] = json.loads(files[config_map]["environment"])
    return told


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


def test_a_model_is_told_which_environment_points_to_its_deployment(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    declared = _two_versions(settings, artifacts, production="v2", beta="v2")

    assert _told(declared) == {"echo-v1": None, "echo-v2": {"name": "production"}}


def test_an_environment_that_moves_changes_what_models_read_and_no_pod(
    settings: StackSettings, artifacts: Artifacts
) -> None:
    before = _two_versions(settings, artifacts, production="v1")
    after = _two_versions(settings, artifacts, production="v2")

    assert _told(before) == {"echo-v1": {"name": "production"}, "echo-v2": None}
    assert _told(after) == {"echo-v1": None, "echo-v2": {"name": "production"}}
    assert _pods(after) == _pods(before)


@pytest.mark.parametrize("name", ["settings", "created_settings"])
def test_what_a_mounted_file_says_is_changed_in_place(
    name: str, artifacts: Artifacts, request: pytest.FixtureRequest
) -> None:
    declared = _two_versions(request.getfixturevalue(name), artifacts, production="v1")
    providers = {r.urn: r for r in declared.of_type("pulumi:providers:kubernetes")}

    for file in declared.of_type(":ConfigMap"):
        provider = providers[file.provider.rpartition("::")[0]]
        assert provider.inputs["enableConfigMapMutable"] in (True, "true")
