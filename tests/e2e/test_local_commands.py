import os
import signal
import subprocess
from pathlib import Path

import pytest

from penstock.local.processes import find_marked
from tests.e2e.stack import PENSTOCK, Stack, running_stack, settings_of, wait_until

pytestmark = pytest.mark.e2e


def test_a_second_up_says_that_one_runs(stack: Stack) -> None:
    second = subprocess.run(
        [PENSTOCK, "local", "up", "--state", str(stack.folder.path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert "runs here already" in second.stderr
    assert "penstock local down" in second.stderr


def test_a_detached_up_tells_why_it_did_not_start(tmp_path: Path) -> None:
    settings = tmp_path / "Pulumi.test.yaml"
    settings.write_text(settings_of().replace("cluster:", "clustre:"))
    command = [PENSTOCK, "local", "up", "--detach", "--settings", str(settings)]
    up = subprocess.run(
        [*command, "--state", str(tmp_path / "local")], capture_output=True, text=True, check=False
    )

    assert up.returncode == 1
    assert "settings.clustre: there is no such key; did you mean cluster?" in up.stderr
    assert find_marked(tmp_path / "local") == []


def test_status_and_logs_tell_of_the_running_stack(stack: Stack) -> None:
    def ask(*words: str) -> str:
        command = [PENSTOCK, "local", *words, "--state", str(stack.folder.path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert stack.description.front_url in ask("status")
    assert '"echo-v1"' in ask("status", "--json")
    assert "ministack | " in ask("logs", "ministack")


def test_down_ends_everything_even_when_up_was_killed(tmp_path: Path) -> None:
    settings = settings_of(echo={"autoscaling": {"min_replica": 1, "scale_down_delay": 3}})
    with running_stack(tmp_path, settings) as stack:
        wait_until(lambda: stack.deployment("echo-v1").ready_replicas == 1, 60, "the worker")
        os.kill(stack.supervisor.pid, signal.SIGKILL)
        stack.supervisor.wait()
        left = find_marked(stack.folder.path)
        assert len(left) >= 3  # MiniStack, a dispatcher, a model server

        down = subprocess.run(
            [PENSTOCK, "local", "down", "--state", str(stack.folder.path)], check=False
        )

        assert down.returncode == 0
        assert find_marked(stack.folder.path) == []
        assert not any(process.is_running() for process in left)
