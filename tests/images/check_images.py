"""What holds of the built images. Collected by `make image-check` alone: it takes minutes."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from infra.artifacts.workspace import run, uv
from penstock.local.state import ProcessStatus
from tests.e2e.stack import Stack, wait_until
from tests.images.buildah import Buildah
from tests.images.built_images import DISPATCHER, SERVERS

START_SECONDS = 60.0
_PROCESSES = [f"{model}/{name}" for model in SERVERS for name in ("dispatcher", "model-server")]


def _process(stack: Stack, name: str) -> psutil.Process:
    """Return the process of a container such as `echo/dispatcher`, once its pod is ready."""
    model, container = name.split("/")

    def found() -> ProcessStatus | None:
        pods = stack.deployment(f"{model}-v1").pods
        processes = (p for pod in pods if pod.phase == "ready" for p in pod.processes)
        return next((p for p in processes if p.name.endswith(f"/{container}") and p.pid), None)

    return psutil.Process(wait_until(found, START_SECONDS, f"{name} to be ready").pid)


def _is_read_only(process: psutil.Process) -> bool:
    mounts = Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines()
    (root,) = {fields[5] for line in mounts if (fields := line.split())[4] == "/"}
    return "ro" in root.split(",")


def test_the_dispatcher_is_not_root_by_itself(built: Buildah) -> None:
    config = built.config(DISPATCHER)

    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "runtime_image.dispatcher"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_the_dispatcher_has_its_code_and_none_other(roots: dict[str, Path]) -> None:
    app = roots[DISPATCHER] / "app"
    library = {path.name for path in (app / "penstock").iterdir()}

    assert {path.name for path in app.iterdir()} == {".venv", "penstock", "runtime_image"}
    assert {path.name for path in (app / "runtime_image").iterdir()} == {
        "__init__.py",
        "dispatcher",
    }
    assert library == {"__init__.py", "adapters", "contracts", "protocol"}
    assert not (app / "penstock" / "adapters" / "in_memory").exists()


def test_a_scanner_finds_every_package_that_the_lock_file_names(roots: dict[str, Path]) -> None:
    export = uv("export", "--frozen", "--no-default-groups", "--only-group", "dispatcher")
    lines = run("exporting", [*export, "--no-emit-project", "--no-hashes"]).splitlines()
    locked = {line.split(" ;")[0].strip() for line in lines if "==" in line}
    (packages,) = (roots[DISPATCHER] / "app" / ".venv" / "lib").glob("python3*/site-packages")
    found = {path.name.removesuffix(".dist-info") for path in packages.glob("*.dist-info")}

    assert {name.replace("==", "-").replace("_", "-").lower() for name in locked} >= {
        name.replace("_", "-").lower() for name in found
    }
    assert len(found) > 20


@pytest.mark.parametrize("image", [DISPATCHER, *SERVERS.values()])
def test_no_image_holds_what_belongs_to_the_repository_alone(
    roots: dict[str, Path], image: str
) -> None:
    names = {path.name for path in (roots[image] / "app").rglob("*")}

    assert names.isdisjoint({".git", ".env", "Pulumi.yaml", "uv.lock", "conftest.py", "build_hash"})


@pytest.mark.parametrize("name", _PROCESSES)
def test_a_container_runs_from_its_image_as_a_user_of_its_own(
    stack: Stack, roots: dict[str, Path], name: str
) -> None:
    model, container = name.split("/")
    process = _process(stack, name)
    image, user = (DISPATCHER, 10_001) if container == "dispatcher" else (SERVERS[model], 60_000)

    assert set(process.uids()) == {user}
    assert set(process.gids()) == {user}
    assert Path(f"/proc/{process.pid}/root").readlink() == roots[image]


@pytest.mark.parametrize("model", SERVERS)
def test_the_dispatcher_needs_no_file_system_but_tmp(stack: Stack, model: str) -> None:
    assert _is_read_only(_process(stack, f"{model}/dispatcher"))


@pytest.mark.parametrize("model", SERVERS)
def test_a_request_is_finished(stack: Stack, model: str) -> None:
    request_id = stack.submit(model, {"text": "from an image"})

    stack.wait_for(model, request_id, "SUCCEEDED")
    with stack.caller() as http:
        result = http.get(f"/models/{model}/async_request/{request_id}/result").json()
    assert result == {"echo": {"text": "from an image"}, "request_id": request_id}


def test_a_body_that_passes_through_a_file_is_finished_on_a_read_only_root(stack: Stack) -> None:
    text = "x" * 2_500_000
    request_id = stack.submit("echo", {"text": text})

    stack.wait_for("echo", request_id, "SUCCEEDED")
    with stack.caller() as http:
        path = f"/models/echo/async_request/{request_id}/result"
        answer = http.get(path, follow_redirects=True)  # so large a result comes from S3
    assert answer.json()["echo"]["text"] == text


def test_a_dispatcher_that_is_told_to_stop_finishes_its_request_and_exits_with_0(
    stack: Stack,
) -> None:
    dispatcher = _process(stack, "gpu/dispatcher")
    request_id = stack.submit("gpu", {"sleep_seconds": 3})
    stack.wait_for("gpu", request_id, "IN_PROGRESS")

    os.kill(dispatcher.pid, signal.SIGTERM)

    def exits() -> list[dict[str, object]]:
        return [e for e in stack.events("restarted") if e["process"].endswith("/dispatcher")]

    (ended,) = wait_until(exits, 20, "the dispatcher to end")
    assert ended["exit_status"] == 0
    assert stack.status("gpu", request_id)["status"] == "SUCCEEDED"


def test_probes_pass_all_along(stack: Stack) -> None:
    for name in _PROCESSES:
        _process(stack, name)

    assert stack.events("unhealthy") == []
    restarted = {event["process"] for event in stack.events("restarted")}
    assert not {name for name in restarted if not name.endswith("/dispatcher")}
