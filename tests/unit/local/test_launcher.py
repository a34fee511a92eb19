"""What the processes of a pod are given."""

from pathlib import Path
from typing import Any

import pytest

from penstock.local.pods.images.images import OwnImage
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.workload import Workload
from penstock.local.state import StateFolder

AWS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "local"}


def deployment() -> dict[str, Any]:
    """Return a pod that passes the model server by, as those of the program do."""
    python = ["python", "-m", "anything"]
    server = {"name": "model-server", "image": "m", "command": python, "restartPolicy": "Always"}
    dispatcher = {"name": "dispatcher", "image": "d", "command": python}
    template = {
        "metadata": {"annotations": {"eks.amazonaws.com/skip-containers": "model-server"}},
        "spec": {"initContainers": [server], "containers": [dispatcher]},
    }
    return {"metadata": {"name": "echo-v1"}, "spec": {"template": template}}


def environments(folder: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each process of a pod."""
    state = StateFolder.at(folder)
    state.prepare()
    launcher = Launcher(images=dict.fromkeys("dm", OwnImage()), aws_environment=AWS, state=state)
    workload = Workload.of(deployment())
    return {
        container.name: dict(launcher.command(workload, container, "echo-v1-1", {}).environment)
        for container in workload.containers
    }


def test_a_model_server_gets_no_aws_variable_of_the_dispatcher_or_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the shell")
    found = environments(tmp_path)

    assert found["dispatcher"].items() >= AWS.items()
    assert not [name for name in found["model-server"] if name.startswith("AWS_")]
