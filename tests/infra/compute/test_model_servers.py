"""Model servers that are no Truss: built from a container, spoken to as their preset says."""

from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.artifacts.workspace import ArtifactError
from infra.program import declare as declare_stack
from infra.settings.model_settings import DeploymentSettings, ModelSettings
from infra.settings.stack_settings import StackSettings
from penstock.contracts.environments import DispatcherEnvironment
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared, record

IMAGE = "registry.example/server@sha256:" + "0" * 64
SERVERS: dict[str, dict[str, Any]] = {
    "wave": {"preset": "sagemaker", "args": ["serve"], "spool_gib": 7},
    "web": {"preset": "http", "predict_path": "/", "health_path": "/health", "port": 8_000},
    "mute": {"preset": "http"},
    "stop": {"preset": "sagemaker", "restart_after_stop": True},
}


def _with(settings: StackSettings, **models: dict[str, Any]) -> StackSettings:
    declared = {
        name: ModelSettings(
            deployments={"v1": DeploymentSettings.checked({"instance": "CPU:1x2", **given})}
        )
        for name, given in models.items()
    }
    return settings.model_copy(update={"models": declared})


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that an image is built from."""
    folder = tmp_path_factory.mktemp("container")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


@pytest.fixture(scope="module")
def served(settings: StackSettings, artifacts: Artifacts, container: Path) -> Declared:
    """A stack of such model servers."""
    models = {name: {"container": str(container), **given} for name, given in SERVERS.items()}
    changed = _with(settings, ready={"image": IMAGE, "preset": "truss"}, **models)
    return record(lambda: declare_stack(changed, artifacts))


def _pod(served: Declared, name: str) -> dict[str, Any]:
    workers = served.named(f"{name}-v1-workers", "apps/v1:Deployment").inputs
    spec: dict[str, Any] = workers["spec"]["template"]["spec"]
    return spec


def _server(served: Declared, name: str) -> dict[str, Any]:
    (server,) = _pod(served, name)["initContainers"]
    assert server["name"] == "model-server"
    found: dict[str, Any] = server
    return found


def _dispatcher(served: Declared, name: str) -> DispatcherEnvironment:
    (dispatcher,) = _pod(served, name)["containers"]
    return DispatcherEnvironment.read({v["name"]: v["value"] for v in dispatcher["env"]})


def test_a_directory_without_dockerfile_is_named(
    settings: StackSettings, artifacts: Artifacts, tmp_path: Path
) -> None:
    changed = _with(settings, wave={"container": str(tmp_path), "preset": "http"})

    with pytest.raises(ArtifactError, match="no such directory with a Dockerfile"):
        record(lambda: declare_stack(changed, artifacts))


def test_a_ready_image_is_taken_as_it_is(served: Declared) -> None:
    assert _server(served, "ready")["image"] == IMAGE


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("ready", {"httpGet": {"path": "/v1/models/model", "port": 8_080}}),
        ("wave", {"httpGet": {"path": "/ping", "port": 8_080}}),
        ("web", {"httpGet": {"path": "/health", "port": 8_000}}),
        ("mute", {"tcpSocket": {"port": 8_080}}),
    ],
)
def test_a_server_is_ready_when_its_preset_says_so(
    served: Declared, name: str, target: dict[str, Any]
) -> None:
    server = _server(served, name)

    for probe in ("startupProbe", "readinessProbe"):
        assert server[probe].items() >= target.items()
        assert len(server[probe].keys() & {"httpGet", "tcpSocket"}) == 1


@pytest.mark.parametrize("name", ["wave", "web", "mute"])
def test_a_server_that_may_answer_nothing_while_it_predicts_is_left_alone(
    served: Declared, name: str
) -> None:
    assert "livenessProbe" not in _server(served, name)


def test_any_server_that_works_on_is_restarted(served: Declared) -> None:
    liveness = _server(served, "stop")["livenessProbe"]

    assert liveness["httpGet"] == {"path": "/model-server/healthz", "port": 9_090}


def test_a_dispatcher_knows_how_to_speak_to_its_server(served: Declared) -> None:
    told = {name: _dispatcher(served, name) for name in (*SERVERS, "ready")}

    assert {name: d.model_server_preset for name, d in told.items()} == {
        "wave": "sagemaker",
        "web": "http",
        "mute": "http",
        "stop": "sagemaker",
        "ready": "truss",
    }
    assert told["web"].model_server_predict_path == "/"
    assert told["web"].model_server_health_path == "/health"
    assert told["web"].model_server_url == "http://127.0.0.1:8000"
    assert told["wave"].model_server_url == "http://127.0.0.1:8080"


def test_limits_of_inputs_and_results_reach_the_dispatcher_and_its_disk(
    settings: StackSettings, artifacts: Artifacts, container: Path
) -> None:
    sizes = {"max_input_bytes": 5_000, "max_result_bytes": 6_000, "spool_gib": 7}
    changed = _with(settings, wave={"container": str(container), "preset": "http", **sizes})
    served = record(lambda: declare_stack(changed, artifacts))

    told = _dispatcher(served, "wave")
    assert (told.max_input_bytes, told.max_result_bytes) == (5_000, 6_000)
    volumes = {v["name"]: v["emptyDir"] for v in _pod(served, "wave")["volumes"]}
    assert volumes["dispatcher-tmp"] == {"sizeLimit": "7Gi"}


def test_only_what_speaks_as_the_truss_server_is_told_its_environment(served: Declared) -> None:
    files = {r.inputs["metadata"]["name"] for r in served.of_type(":ConfigMap")}

    assert files == {"ready-v1-environment"}


def test_arguments_replace_those_of_the_image(served: Declared) -> None:
    assert _server(served, "wave")["args"] == ["serve"]
    assert "args" not in _server(served, "web")


@pytest.mark.parametrize("version", ["1.33", "1.35"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_pod_of_such_a_server_is_valid(served: Declared, name: str, version: str) -> None:
    check_manifest(served.named(f"{name}-v1-workers", "apps/v1:Deployment").inputs, version)
