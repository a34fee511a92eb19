"""What cannot run here is refused by name, before anything is started."""

from pathlib import Path

import pytest

from infra.settings.stack_settings import StackSettings
from penstock.contracts.errors import SettingsError
from penstock.local import stack
from penstock.local.runnable import check_runnable
from penstock.local.stack import StackOptions, run_stack
from penstock.local.state import StateFolder
from tests.infra.artifacts.truss.directories import stack_of, truss_directory

IMAGE = "registry.example/model@sha256:" + "0" * 64


def container(folder: Path, *lines: str) -> dict[str, str]:
    folder.mkdir()
    (folder / "Dockerfile").write_text("\n".join(("FROM python:3.13", *lines)) + "\n")
    return {"container": str(folder), "preset": "http"}


def refused(**deployments: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as error:
        check_runnable(stack_of(deployments))
    return str(error.value).splitlines()


def test_all_that_cannot_run_here_is_refused_by_deployment_and_reason(tmp_path: Path) -> None:
    server = {
        "start_command": "vllm serve", "server_port": 8000, "predict_endpoint": "/",
        "readiness_endpoint": "/", "liveness_endpoint": "/",
    }  # fmt: skip
    docker_server = truss_directory(tmp_path / "served", {"docker_server": server}, None)
    no_model = truss_directory(tmp_path / "empty", {}, None)
    said = refused(
        served={"truss": str(docker_server)},
        empty={"truss": str(no_model)},
        shell=container(tmp_path / "shell", "CMD node server.js"),
        binary=container(tmp_path / "binary", 'CMD ["tritonserver"]'),
        missing=container(tmp_path / "missing", "COPY gone.py .", 'CMD ["python", "gone.py"]'),
        ready={"image": IMAGE, "preset": "http"},
    )
    assert [line.split(": ")[0] for line in said] == [
        f"deployment {name}-v1"
        for name in ("served", "empty", "shell", "binary", "missing", "ready")
    ]
    served, empty, shell, binary, missing, ready = said
    assert f"{docker_server}/config.yaml: docker_server: " in served
    assert f"{no_model}/model/model.py: there is no such file" in empty
    assert "begins with python" in shell
    assert "['tritonserver']" in binary
    assert "COPY gone.py: there is no such file" in missing
    assert "image: a ready image needs Docker" in ready


def test_what_can_run_here_is_passed_with_its_notes(tmp_path: Path) -> None:
    truss = truss_directory(tmp_path / "truss", {"system_packages": ["ffmpeg"]})
    program = container(tmp_path / "program", 'CMD ["python", "-m", "http.server"]')
    notes = check_runnable(stack_of({"echo": {"truss": str(truss)}, "web": program}))
    assert notes.keys() == {"echo-v1"}
    assert "ffmpeg" in notes["echo-v1"][0]


def test_arguments_of_a_deployment_can_make_a_program_that_runs_here(tmp_path: Path) -> None:
    program = container(tmp_path / "program", 'CMD ["serve"]')
    with pytest.raises(SettingsError, match="begins with python"):
        check_runnable(stack_of({"web": program}))
    check_runnable(stack_of({"web": {**program, "args": ["python", "serve.py"]}}))


def test_nothing_is_started_of_a_stack_that_cannot_run_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stack_of({"ready": {"image": IMAGE, "preset": "http"}})
    monkeypatch.setattr(StackSettings, "read", lambda _: settings)
    monkeypatch.setattr(stack, "_parts", lambda *_: pytest.fail("started"))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    options = StackOptions(settings_file=tmp_path, state=StateFolder.at(tmp_path / "local"))
    with pytest.raises(SettingsError, match="deployment ready-v1: image: "):
        run_stack(options, lambda _: None, lambda _: None)
