import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen

import psutil
import pytest

from penstock.local.pods.container_process import ContainerProcess
from penstock.local.processes import MARKER, Child, Command, end_marked, find_marked

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("started", child.pid, flush=True)
time.sleep(60)
"""
PATIENT = "import time; print('started', flush=True); time.sleep(60)"


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], Command]:
    return lambda code: Command(
        name="child",
        argv=[sys.executable, "-c", code],
        environment={"PATH": os.environ["PATH"]},
        folder=tmp_path,
        log=tmp_path / "child.log",
    )


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def start(command: Command, folder: Path) -> Child:
    child = await Child.start(command, folder)
    await until(lambda: "started" in command.log.read_text())
    return child


@pytest.mark.asyncio
async def test_a_child_is_found_by_its_mark(
    command: Callable[[str], Command], tmp_path: Path
) -> None:
    child = await start(command(PATIENT), tmp_path)
    other = await start(command(PATIENT), tmp_path / "other")

    found = find_marked(tmp_path)
    assert [process.pid for process in found] == [child.pid]
    await child.stop(5)
    assert find_marked(tmp_path) == []
    assert other.is_running
    await other.stop(5)


def test_all_are_ended_those_that_do_not_listen_by_force(tmp_path: Path) -> None:
    marked = {**os.environ, MARKER: str(tmp_path)}
    patient = Popen([sys.executable, "-c", PATIENT], env=marked, stdout=PIPE)
    stubborn = Popen([sys.executable, "-c", STUBBORN], env=marked, stdout=PIPE)
    with patient, stubborn:
        for process in (patient, stubborn):
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"started")

        assert end_marked(tmp_path, 0.5) == 3

        assert find_marked(tmp_path) == []


@pytest.mark.asyncio
async def test_a_child_that_does_not_listen_is_killed_with_all_it_started(
    command: Callable[[str], Command], tmp_path: Path
) -> None:
    stubborn = command(STUBBORN)
    child = await start(stubborn, tmp_path)
    grandchild = int(stubborn.log.read_text().split()[1])

    await child.stop(0.1)

    assert not child.is_running
    await until(lambda: not psutil.pid_exists(grandchild) or is_zombie(grandchild))


def is_zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.asyncio
async def test_a_killed_container_is_started_again_until_it_is_stopped(
    command: Callable[[str], Command], tmp_path: Path
) -> None:
    restarted: list[int | None] = []
    process = ContainerProcess(
        command(PATIENT), tmp_path, lambda again: restarted.append(again.exit_status)
    )
    await process.start()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: restarted == [-signal.SIGKILL])
    assert process.restarts == 1

    await process.stop(5)

    assert process.pid is None
    assert restarted == [-signal.SIGKILL]
    assert find_marked(tmp_path) == []
