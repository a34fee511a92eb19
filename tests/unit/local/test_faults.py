"""What fails in one place ends nothing else, and is told."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from typer.testing import CliRunner

from penstock.autoscaling.scaled_object import scaled_object
from penstock.autoscaling.settings import AutoscalingSettings
from penstock.cli.main import app
from penstock.contracts.errors import SettingsError
from penstock.local.faults import explained
from penstock.local.pods.backoff import Backoff
from penstock.local.pods.container_process import ContainerProcess
from penstock.local.pods.events import EventLog
from penstock.local.pods.pod import Pod
from penstock.local.pods.scaler import DeploymentScaler
from penstock.local.pods.workload import Container, Workload, WorkloadError
from penstock.local.processes import Command
from penstock.local.stack import StackOptions, run_stack
from penstock.local.state import StackEnd, StateFolder
from penstock.local.supervisor import Supervisor, take_over

if TYPE_CHECKING:
    from penstock.local.emulated_aws import EmulatedAws
    from penstock.local.pods.launcher import Launcher

WAITING = "import time; time.sleep(60)"


def workload(name: str) -> Workload:
    server: dict[str, Any] = {
        "name": "model-server",
        "image": "m",
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    pod = {"containers": [server]}
    return Workload.of({"metadata": {"name": name}, "spec": {"template": {"spec": pod}}})


class Started:
    """Starts a process per container, or fails as it was told to."""

    def __init__(self, folder: Path, failures: list[Exception]) -> None:
        self.state = StateFolder.at(folder)
        self.state.prepare()
        self._failures = failures

    def notes(self, _: Workload) -> tuple[str, ...]:
        return ()

    def command(self, workload: Workload, container: Container, *_: object) -> Command:
        if self._failures:
            raise self._failures.pop(0)
        return Command(
            name=f"{workload.name}/{container.name}",
            argv=[sys.executable, "-c", WAITING],
            environment={},
            folder=self.state.path,
            log=self.state.logs / "x.log",
        )


def scaler(name: str, launcher: Started, events: EventLog) -> DeploymentScaler:
    spec = scaled_object(
        AutoscalingSettings(min_replica=1),
        target=name,
        queue_urls=("p0", "p1", "p2"),
        region="eu-west-1",
        authentication="aws",
    )
    names = ("", "NotVisible", "Delayed")
    depth = {"Attributes": {f"ApproximateNumberOfMessages{n}": "0" for n in names}}
    sqs = SimpleNamespace(get_queue_attributes=lambda **_: depth)
    aws = cast("EmulatedAws", SimpleNamespace(sqs=sqs))
    return DeploymentScaler(workload(name), spec, cast("Launcher", launcher), aws, events)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once."""
    monkeypatch.setattr("penstock.local.pods.scaler._STEP_SECONDS", 0.05)
    monkeypatch.setattr("penstock.local.pods.pod._READY_PROBE_SECONDS", 0.05)


async def test_a_deployment_that_cannot_start_a_pod_shows_why_and_is_tried_again(
    tmp_path: Path,
) -> None:
    events = EventLog(tmp_path / "events.jsonl")
    bad = Started(tmp_path / "bad", [WorkloadError("needs Docker"), RuntimeError("odd")])
    faulty, sound = scaler("bad-v1", bad, events), scaler("good-v1", Started(tmp_path, []), events)
    running = asyncio.gather(faulty.run(), sound.run())

    await until(lambda: faulty.status.fault)
    assert faulty.status.fault == "needs Docker"
    assert faulty.status.pods == ()
    await until(lambda: sound.status.pods)
    assert sound.status.fault is None
    await until(lambda: faulty.status.pods and faulty.status.fault is None)

    running.cancel()
    await asyncio.gather(faulty.stop(5), sound.stop(5))
    events.close()
    told = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    failed = [(event["deployment"], event["error"]) for event in told if event["event"] == "failed"]
    assert failed == [("bad-v1", "needs Docker"), ("bad-v1", "RuntimeError: odd")]


async def test_a_process_that_cannot_be_started_again_shows_why_until_it_can(
    tmp_path: Path,
) -> None:
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    restarted = asyncio.Event()
    command = Command(
        name="echo/model-server",
        argv=[str(program), "-c", WAITING],
        environment={},
        folder=tmp_path,
        log=tmp_path / "log",
    )
    process = ContainerProcess(command, tmp_path, lambda _: restarted.set())
    await process.start()
    program.unlink()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)

    await until(lambda: process.fault)
    assert "echo/model-server cannot be started: " in str(process.fault)
    program.symlink_to(sys.executable)
    await restarted.wait()

    assert process.fault is None
    await process.stop(5)


async def test_a_pod_that_cannot_be_watched_shows_why_and_is_watched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = EventLog(tmp_path / "events.jsonl")
    watches = iter([ValueError("odd answer")])
    watched = asyncio.Event()

    async def watch(self: Pod, _: object) -> None:
        for failure in watches:
            raise failure
        watched.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Pod, "_watch_readiness", watch)
    pod = Pod("echo-1", workload("echo"), cast("Launcher", Started(tmp_path, [])), events)
    await pod.start()

    await until(lambda: pod.fault)
    assert pod.fault == "echo-1 is not watched: ValueError: odd answer"
    await watched.wait()
    assert pod.fault is None
    await pod.stop(5)
    events.close()


def test_what_fails_again_and_again_is_tried_less_and_less_often() -> None:
    backoff = Backoff(1, 30)
    assert [backoff.next_seconds() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_seconds() == 1


def test_a_fault_is_told_in_the_words_of_its_cause() -> None:
    assert explained(WorkloadError("needs Docker")) == "needs Docker"
    assert explained(KeyError()) == "KeyError"
    group = ExceptionGroup("tasks", [ValueError("a"), OSError("b")])
    assert explained(group) == "ValueError: a; OSError: b"


def status(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["local", "status", "--state", str(folder)])
    return done.exit_code, done.stderr


@pytest.fixture
def signals() -> Iterator[None]:
    """A stack ignores them on its way out, which is its process's last."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_stack_that_ended_says_when_why_and_where_its_logs_are(tmp_path: Path) -> None:
    state = StateFolder.at(tmp_path / "local")
    options = StackOptions(settings_file=tmp_path / "gone.yaml", state=state)
    with pytest.raises(SettingsError):
        run_stack(options, lambda _: None, lambda _: None)

    end = StackEnd.model_validate_json(state.end.read_bytes())
    assert end.has_failed
    code, said = status(state.path)
    assert code == 1
    assert f"ended at {end.at:%Y-%m-%d %H:%M:%S} UTC: {end.reason}" in said
    assert "gone.yaml: cannot read" in end.reason
    assert str(state.logs) in said


def test_a_stack_that_was_killed_is_not_one_that_never_ran(tmp_path: Path) -> None:
    state = StateFolder.at(tmp_path / "local")
    assert "the last one" not in status(state.path)[1]
    take_over(state)
    state.write(state.supervisor, Supervisor(pid=os.getpid(), created_at=1))

    code, said = status(state.path)

    assert code == 1
    assert "ended without a word" in said


def test_the_end_of_a_stack_is_forgotten_when_the_next_one_starts(tmp_path: Path) -> None:
    state = StateFolder.at(tmp_path / "local")
    take_over(state)
    state.end.write_text("{}")
    state.forget()
    assert state.end.exists()
    shutil.rmtree(state.logs)
    take_over(state)
    assert not state.end.exists()
