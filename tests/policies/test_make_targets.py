"""What `make` does when a part of a target fails."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_UV = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in *"{broken}"*) exit 1;; esac
"""


@pytest.mark.parametrize("broken", ["pytest tests/faults", "tests.faults.processes.chaos"])
def test_make_faults_runs_every_part_and_fails_if_one_failed(tmp_path: Path, broken: str) -> None:
    log, uv = tmp_path / "calls", tmp_path / "uv"
    uv.write_text(_UV.format(log=log, broken=broken))
    uv.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    ended = subprocess.run(
        ["make", "faults", "REPORT=1"], cwd=ROOT, env={**os.environ, "PATH": path}, check=False,
        capture_output=True,
    )  # fmt: skip

    assert ended.returncode != 0
    calls = log.read_text()
    for part in ("pytest tests/faults", "tests.faults.processes.chaos", "tests.faults.report"):
        assert part in calls
