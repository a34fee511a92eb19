"""What the processes of a pod are given."""

from pathlib import Path
from typing import Any

import pytest

from penstock.local.pods.images.images import OwnImage
from penstock.local.pods.launcher import Launcher
from penstock.local.pods.workload import Workload
from penstock.local.state import StateFolder

AWS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}


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


def with_role() -> dict[str, Any]:
    """Return the pod with a sidecar that serves the model server a role's credentials."""
    mount = {"name": "model-credentials", "mountPath": "/run/penstock/model-credentials"}
    token_file = f"{mount['mountPath']}/token"
    told = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9092/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token_file,
        "AWS_REGION": "eu-west-1",
    }
    sidecar = {
        "name": "model-credentials",
        "image": "d",
        "command": ["python", "-m", "anything"],
        "restartPolicy": "Always",
        "env": [{"name": "PENSTOCK_TOKEN_FILE", "value": token_file}],
        "ports": [{"containerPort": 9092}],
        "volumeMounts": [mount],
    }
    declared = deployment()
    pod = declared["spec"]["template"]["spec"]
    (server,) = pod["initContainers"]
    server["env"] = [{"name": name, "value": value} for name, value in told.items()]
    server["volumeMounts"] = [mount]
    pod["initContainers"] = [sidecar, server]
    pod["volumes"] = [{"name": mount["name"], "emptyDir": {"medium": "Memory"}}]
    return declared


def environments(folder: Path, declared: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the environment of each process of a pod."""
    state = StateFolder.at(folder)
    state.prepare()
    launcher = Launcher(images=dict.fromkeys("dm", OwnImage()), aws_environment=AWS, state=state)
    workload = Workload.of(declared)
    ports = {port: port + 40_000 for port in workload.ports}
    return {
        container.name: dict(launcher.command(workload, container, "echo-1", ports).environment)
        for container in workload.containers
    }


def test_a_model_server_gets_no_aws_variable_of_the_dispatcher_or_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the shell")
    found = environments(tmp_path, deployment())

    assert found["dispatcher"].items() >= AWS.items()
    assert not [name for name in found["model-server"] if name.startswith("AWS_")]


def test_a_model_server_with_a_role_finds_its_credentials_and_no_others(tmp_path: Path) -> None:
    found = environments(tmp_path, with_role())

    told = {name: v for name, v in found["model-server"].items() if name.startswith("AWS_")}
    token_file = Path(told.pop("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    assert told == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:49092/v1/credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
    }
    assert str(token_file) == found["model-credentials"]["PENSTOCK_TOKEN_FILE"]
    assert token_file.parent.is_dir()
    assert found["model-credentials"].items() >= AWS.items()
