"""Starting measured programs: settings in as JSON, numbers out as JSON."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from penstock.contracts.errors import PenstockError

_RUN_SECONDS = 300
_STOP_SECONDS = 10
_PROBE_SECONDS = 0.02


class MeasuredProcessError(PenstockError):
    """A measured program ended badly, or did not become ready."""


def measure(
    module: str,
    settings: BaseModel,
    environment: Mapping[str, str],
    during: Callable[[], None] | None = None,
) -> dict[str, float]:
    """Run a program to its end, and `during` meanwhile; return the numbers that it reports.

    Raises:
        MeasuredProcessError: it failed or did not end; the text is the last that it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder, "report"), Path(folder, "log")
        with log.open("wb") as output:
            process = _start(module, settings, environment, report, output)
            try:
                if during is not None:
                    during()
                status = process.wait(_RUN_SECONDS)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _stop(process)
        if status != 0 or not report.exists():
            raise MeasuredProcessError(f"{module}: {log.read_text()[-2_000:]}")
        numbers: dict[str, float] = json.loads(report.read_text())
        return numbers


@contextlib.contextmanager
def running(module: str, settings: BaseModel, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a server while the block runs; yield what it reports once it is ready: its address."""
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder, "report"), Path(folder, "log")
        with log.open("wb") as output:
            process = _start(module, settings, environment, report, output)
            try:
                while not report.exists():
                    if process.poll() is not None:
                        raise MeasuredProcessError(f"{module}: {log.read_text()[-2_000:]}")
                    time.sleep(_PROBE_SECONDS)
                yield report.read_text()
            finally:
                _stop(process)


def report(numbers: object) -> None:
    """Tell the starter; called once by a measured program."""
    target = Path(sys.argv[2])
    text = numbers if isinstance(numbers, str) else json.dumps(numbers)
    beside = target.with_suffix(".part")
    beside.write_text(text)
    beside.rename(target)


def settings_text() -> str:
    """Return the settings that a measured program was started with."""
    return sys.argv[1]


def _start(
    module: str, settings: BaseModel, environment: Mapping[str, str], report: Path, output: BinaryIO
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, settings.model_dump_json(), str(report)],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()
