"""`python -m bench.local_start`: from `penstock local up` to its first accepted request."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from bench.figures import Figure, Goal, Run
from bench.machine import commit, machine, today
from bench.report import print_run
from infra.artifacts.workspace import ROOT
from penstock.client import Client
from penstock.contracts.errors import PenstockError
from penstock.contracts.stack.local_stack import LOCAL_STACK_FILE, LocalStack

_LOOK_SECONDS = 0.02
_GOODBYE_SECONDS = 30.0


class NotStartedError(PenstockError):
    """The stack ended before it was ready."""


def measure(rounds: int) -> list[Figure]:
    """Start the laptop's stack `rounds` times; what is built once is there after the first."""
    with _up():
        pass
    seconds, cpu_seconds = zip(*(_first_accepted() for _ in range(rounds)), strict=True)
    section = "local stack"
    return [
        Figure(
            section=section,
            name="`penstock local up` to the first accepted request",
            unit="s",
            ours=median(seconds),
            goal=Goal(at_most=8),
        ),
        Figure(section=section, name="CPU until then", unit="s", ours=median(cpu_seconds)),
    ]


def _first_accepted() -> tuple[float, float]:
    started = time.monotonic()
    with _up() as (supervisor, stack), Client(stack.front_url, stack.api_key) as client:
        client.submit("echo", {"text": "hello"})
        return time.monotonic() - started, _cpu_seconds(supervisor)


@contextmanager
def _up() -> Iterator[tuple[psutil.Popen, LocalStack]]:
    # A user's Python keeps the bytecode of what it imports.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "penstock.cli", "local", "up", "--state", folder]
        supervisor = psutil.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield supervisor, _ready(supervisor, Path(folder) / LOCAL_STACK_FILE.name)
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                supervisor.terminate()
            supervisor.wait(_GOODBYE_SECONDS)


def _ready(supervisor: psutil.Popen, file: Path) -> LocalStack:
    while not file.exists():
        if supervisor.poll() is not None:
            raise NotStartedError("the stack did not start; 'penstock local up' says why")
        time.sleep(_LOOK_SECONDS)
    return LocalStack.model_validate_json(file.read_bytes())


def _cpu_seconds(supervisor: psutil.Popen) -> float:
    """Return what the stack has used: processes that run, and those that they waited for."""
    total = 0.0
    for process in (supervisor, *supervisor.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.local_start", description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    figures = measure(parser.parse_args().rounds)
    command = " ".join(("python -m bench.local_start", *sys.argv[1:]))
    run = Run(
        command=command,
        machine=machine(),
        date=today(),
        commit=commit(),
        figures=tuple(figures),
    )
    print_run(run)


if __name__ == "__main__":
    main()
