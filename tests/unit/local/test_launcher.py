"""How a Truss model becomes a process: inside its image's folders where the machine can do it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.local.pods import launcher
from penstock.local.pods.images.images import TrussImage
from penstock.local.pods.images.model_environment import ModelEnvironment
from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.workload import Workload
from penstock.local.state import StateFolder

WORKLOAD = Workload.of(
    {
        "metadata": {"name": "echo-v1"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {"name": "server", "image": "m", "ports": [{"containerPort": 8080}]}
                    ]
                }
            }
        },
    }
)


@pytest.fixture
def echo(tmp_path: Path) -> Launcher:
    """Launches a model whose code names a path below `/app`."""
    context = tmp_path / "context"
    for name in ("server/main.py", "model/model.py"):
        (context / name).parent.mkdir(parents=True)
        (context / name).write_text('open("/app/data/x")')
    (context / "config.yaml").write_text(yaml.safe_dump({"python_version": "py311"}))
    copies = ("./server ${APP_HOME}", "./model ${APP_HOME}/model")
    (context / "Dockerfile").write_text("".join(f"COPY {copy}\n" for copy in copies))
    truss = TrussContext.at(context)
    assert truss is not None
    image = TrussImage(truss, ModelEnvironment(tmp_path / "venv", ("runs on Python 3.11",)))
    return Launcher(
        images={"m": image},
        aws_environment={},
        state=StateFolder.at(tmp_path / "state"),
        known_notes={"echo-v1": ("config.yaml: base_image: is not followed",), "other-v1": ("x",)},
    )


def started(echo: Launcher) -> Any:
    return echo.command(WORKLOAD, WORKLOAD.containers[0], "echo-v1-1", {8080: 50_001})


def test_a_model_runs_inside_the_folders_of_its_image_where_the_machine_can_do_it(
    echo: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "can_hold", lambda *_: True)
    command = started(echo)

    home = tmp_path / "state" / "scratch" / "echo-v1-1" / "server"
    assert command.argv[-2:] == [str(tmp_path / "venv/bin/python"), "main.py"]
    assert f'"/app": "{home}/app"' in command.argv[-3]
    assert f'"/packages": "{home}/packages"' in command.argv[-3]
    assert command.environment["APP_HOME"] == "/app"
    assert echo.notes(WORKLOAD) == (
        "runs on Python 3.11", "config.yaml: base_image: is not followed",
    )  # fmt: skip


def test_a_model_that_names_places_of_its_image_is_noted_where_the_machine_cannot_do_it(
    echo: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "can_hold", lambda *_: False)
    command = started(echo)

    assert command.argv == [str(tmp_path / "venv/bin/python"), "main.py"]
    assert command.environment["APP_HOME"] == str(command.folder)
    assert any("names places below /app or /packages" in note for note in echo.notes(WORKLOAD))
