"""Bytecode beside the sources of an archive.

Lambda's folders are read-only: a function without it compiles every module at every cold start.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from infra.artifacts.workspace import ArtifactError, run, uv

_HOME = "/var/task"
"""Where Lambda unpacks an archive; tracebacks name files there."""

_logger = logging.getLogger(__name__)


def compiler(python: str) -> Sequence[str] | None:
    """Return the command that compiles for a Python, or `None` if that Python cannot be had.

    Args:
        python: A version or a path, as uv takes it; uv fetches a version that is not installed.
    """
    python_alone = uv("run", "--no-project", "--quiet", "--python", python, "python", "-I")
    try:
        run(f"looking for Python {python}", [*python_alone, "-c", ""])
    except ArtifactError:
        _logger.warning(
            "the functions' archive has no bytecode, so each cold start compiles its sources "
            "(about 0.3 s): Python %s is not here and uv cannot fetch it; install it",
            python,
        )
        return None
    return [*python_alone, "-m", "compileall"]


def compile_folder(folder: Path, command: Sequence[str]) -> None:
    """Compile every module under `folder`; the bytecode is used without a look at its source.

    Raises:
        ArtifactError: a module cannot be compiled.
    """
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    run(
        "compiling the functions", [*command, *options, "-s", str(folder), "-p", _HOME, str(folder)]
    )
