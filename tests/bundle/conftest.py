"""Running code with nothing on the path but what is shipped."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


def run_alone(
    code: str, path: Sequence[Path], variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter that sees `path` and the standard library only."""
    prelude = f"import sys; sys.path[:0] = {[str(folder) for folder in path]!r}\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", prelude + code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **(variables or {})},
        cwd=path[0],
    )


@pytest.fixture(scope="session")
def installed() -> Path:
    """Where this project's packages are installed."""
    return Path(pytest.__file__).parents[1]
