"""The Python environment of a Truss, made as the Dockerfile of its build context makes it."""

import asyncio
import contextlib
import hashlib
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.artifacts.workspace import uv
from penstock.contracts.errors import PenstockError

_INDEX = re.compile(r"^\s*(-i|--index-url)\b")

_OF_THE_MODEL = ("pyproject.toml", "user_requirements.txt")
"""Where Truss puts what the config calls `requirements_file`; uv.lock is not supported yet."""


_OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class ModelEnvironmentError(PenstockError):
    """A model's requirements cannot be installed; the text says what uv said."""


@dataclass(frozen=True)
class ModelEnvironment:
    """A virtual environment with the requirements of a model."""

    folder: Path
    notes: tuple[str, ...] = ()
    """What is otherwise here than in the model's image."""

    @property
    def python(self) -> Path:
        """What runs the model."""
        return self.folder / "bin" / "python"


def requirements_of(context: Path) -> str:
    """Return the requirements without the index that Truss names: the user's own applies."""
    lines = (context / "requirements.txt").read_text().splitlines()
    return "\n".join(line for line in lines if not _INDEX.match(line)) + "\n"


def model_requirements(context: Path) -> tuple[Path, ...]:
    """Return the model's own requirements, where they are a file instead of a list."""
    return tuple(file for name in _OF_THE_MODEL if (file := context / name).is_file())


def python_version(context: Path) -> str:
    """Return the Python that the model's image has, as in `3.12`."""
    # Truss writes `py312`, its own default as well.
    digits = yaml.safe_load((context / "config.yaml").read_text())["python_version"][2:]
    return f"{digits[0]}.{digits[1:]}"


def environment_name(context: Path, python: str) -> str:
    """Return a name that is the same for every context with the same packages and Python."""
    constraints = (context / "constraints.txt").read_text()
    own = (file.read_text() for file in model_requirements(context))
    parts = (requirements_of(context), constraints, *own, python, sys.platform, platform.machine())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


async def make_model_environment(context: Path, cache: Path) -> ModelEnvironment:
    """Return the environment that runs the model of `context`; make it if it is not there.

    Its Python is that of the model's image, or our own where uv cannot provide that one.

    Raises:
        ModelEnvironmentError: uv could not install the requirements.
    """
    wanted = python_version(context)
    exact = cache / environment_name(context, wanted)
    if exact.exists():
        return ModelEnvironment(exact)
    # Named by both, so that it is not taken for one that somebody wanted.
    instead = cache / environment_name(context, f"{_OWN_PYTHON} for {wanted}")
    if wanted == _OWN_PYTHON:
        await _make(context, exact, sys.executable)
    elif await _can_provide(wanted, may_download=not instead.exists()):
        await _make(context, exact, wanted)
    else:
        if not instead.exists():
            await _make(context, instead, sys.executable)
        note = f"runs on Python {_OWN_PYTHON}, its image on {wanted}, which uv cannot provide here"
        return ModelEnvironment(instead, (note,))
    return ModelEnvironment(exact)


async def _can_provide(version: str, *, may_download: bool) -> bool:
    find, download = ("find", "--no-project", "--system"), ("install",)
    for attempt in (find, download) if may_download else (find,):
        with contextlib.suppress(ModelEnvironmentError):
            await _uv(Path.cwd(), "python", *attempt, version)
            return True
    return False


async def _make(context: Path, environment: Path, python: str) -> None:
    environment.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=environment.parent, prefix=f".{environment.name}-"
    ) as scratch:
        unfinished = Path(scratch) / "unfinished"
        await _install(context, unfinished, python, Path(scratch) / "requirements.txt")
        try:
            unfinished.rename(environment)
        except OSError:
            if not environment.is_dir():  # otherwise somebody else was faster
                raise
            shutil.rmtree(unfinished)


async def _install(context: Path, environment: Path, python: str, requirements: Path) -> None:
    requirements.write_text(requirements_of(context))
    # Its scripts must survive the renaming.
    await _uv(context, "venv", "--relocatable", "--python", python, str(environment))
    own = [argument for file in model_requirements(context) for argument in ("-r", str(file))]
    await _uv(
        context, "pip", "install", "--python", str(environment / "bin" / "python"),
        "--index-strategy", "unsafe-best-match",
        *own, "-r", str(requirements), "-c", str(context / "constraints.txt"),
    )  # fmt: skip


async def _uv(folder: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *uv(*arguments),
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
