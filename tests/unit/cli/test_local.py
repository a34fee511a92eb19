"""What `penstock local` shows of a stack."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from penstock.cli.main import app
from penstock.contracts.stack.local_stack import LocalStack
from penstock.local.stack import StackOptions
from penstock.local.state import DeploymentStatus, StackStatus, StateFolder
from penstock.local.supervisor import take_over
from tests.unit.cli.test_stack import OUTPUTS

LOCAL = LocalStack(
    outputs=OUTPUTS,
    aws_endpoint_url="http://127.0.0.1:2",
    api_key="l.key",
    front_url="http://127.0.0.1:1",
)


def deployment(
    name: str, *, notes: tuple[str, ...] = (), fault: str | None = None
) -> DeploymentStatus:
    return DeploymentStatus(
        name=name,
        min_replicas=0,
        max_replicas=1,
        wanted_replicas=0,
        queue_depth=0,
        messages_in_flight=0,
        pods=(),
        notes=notes,
        fault=fault,
    )


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """A stack that this process runs: one deployment with a note, one with a fault."""
    state = StateFolder.at(tmp_path / "local")
    take_over(state)
    state.write(state.running_stack, LOCAL)
    seen = {
        "models": ["echo"],
        "deployments": [
            deployment("echo-v1", notes=("base_image: is not followed",)),
            deployment("other-v1", fault="needs Docker"),
        ],
    }
    state.write(state.status, StackStatus.model_validate(seen))
    return state


def test_status_tells_the_notes_and_the_fault_of_each_deployment(state: StateFolder) -> None:
    shown = CliRunner().invoke(app, ["local", "status", "--state", str(state.path)])

    assert shown.exit_code == 0
    assert "echo-v1: base_image: is not followed" in shown.stdout
    assert "other-v1: needs Docker" in shown.stdout


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_up_tells_what_it_does_not_follow_of_each_model(
    state: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: list[str]
) -> None:
    def run_stack(_: StackOptions, __: object, ready: Callable[[LocalStack], None]) -> None:
        ready(LOCAL)

    monkeypatch.setattr("penstock.local.stack.run_stack", run_stack)
    settings = tmp_path / "Pulumi.test.yaml"
    settings.touch()
    command = ["local", "up", "--settings", str(settings), "--state", str(state.path), *as_json]

    shown = CliRunner().invoke(app, command)

    assert shown.exit_code == 0
    assert "Note  echo-v1: base_image: is not followed" in shown.stderr
    assert shown.stdout.startswith("{" if as_json else "API   http://127.0.0.1:1")
