"""The Python environment of a Truss, made as the Dockerfile of its build context makes it."""

import asyncio
import hashlib
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

from penstock.contracts.errors import PenstockError

_INDEX = re.compile(r"^\s*(-i|--index-url)\b")

_OF_THE_MODEL = ("pyproject.toml", "user_requirements.txt")
"""Where Truss puts what the config calls `requirements_file`; uv.lock is not supported yet."""


class ModelEnvironmentError(PenstockError):
    """A model's requirements cannot be installed; the text says what uv said."""


def requirements_of(context: Path) -> str:
    """Return the requirements without the index that Truss names: the user's own applies."""
    lines = (context / "requirements.txt").read_text().splitlines()
    return "\n".join(line for line in lines if not _INDEX.match(line)) + "\n"


def model_requirements(context: Path) -> tuple[Path, ...]:
    """Return the model's own requirements, where they are a file instead of a list."""
    return tuple(file for name in _OF_THE_MODEL if (file := context / name).is_file())


def environment_name(context: Path) -> str:
    """Return a name that is the same for every context with the same packages."""
    constraints = (context / "constraints.txt").read_text()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    own = (file.read_text() for file in model_requirements(context))
    parts = (requirements_of(context), constraints, *own, python, sys.platform, platform.machine())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


async def make_model_environment(context: Path, cache: Path) -> Path:
    """Return the Python that runs the model of `context`, with its requirements installed.

    Raises:
        ModelEnvironmentError: uv could not install them.
    """
    environment = cache / environment_name(context)
    if not environment.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix=f".{environment.name}-") as scratch:
            unfinished = Path(scratch) / "unfinished"
            await _install(context, unfinished, Path(scratch) / "requirements.txt")
            try:
                unfinished.rename(environment)
            except OSError:
                if not environment.is_dir():  # otherwise somebody else was faster
                    raise
                shutil.rmtree(unfinished)
    return environment / "bin" / "python"


async def _install(context: Path, environment: Path, requirements: Path) -> None:
    requirements.write_text(requirements_of(context))
    # Its scripts must survive the renaming.
    await _uv(context, "venv", "--relocatable", "--python", sys.executable, str(environment))
    own = [argument for file in model_requirements(context) for argument in ("-r", str(file))]
    await _uv(
        context, "pip", "install", "--python", str(environment / "bin" / "python"),
        "--index-strategy", "unsafe-best-match",
        *own, "-r", str(requirements), "-c", str(context / "constraints.txt"),
    )  # fmt: skip


async def _uv(folder: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "uv",
        *arguments,
        cwd=folder,  # the overrides of a pyproject.toml are followed only in its folder
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:  # the stack is being stopped
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ModelEnvironmentError(
            f"uv {' '.join(arguments)} failed:\n{output.decode(errors='replace').strip()}"
        )
