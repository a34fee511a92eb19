"""The Python environment of a model server, made as the Dockerfile of its image makes it."""

import asyncio
import contextlib
import hashlib
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.artifacts.workspace import uv
from penstock.contracts.errors import PenstockError

OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""What stands in where uv cannot provide a Python."""


class ModelEnvironmentError(PenstockError):
    """A model server's requirements cannot be installed; the text says what uv said."""


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What is installed in an image, and for which Python."""

    folder: Path
    """Where uv runs: the overrides of a pyproject.toml are followed only in its folder."""

    python: str
    """As in `3.12`."""

    files: tuple[Path, ...] = ()
    """Files that list requirements."""

    requirements: str = ""
    """Further ones, line by line."""

    constraints: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether Python alone is enough."""
        return not self.files and not self.requirements.strip()

    def environment_name(self, python: str) -> str:
        """Return a name that is the same wherever packages and Python are."""
        files = (file.read_text() for file in self.files)
        machine = (python, sys.platform, platform.machine())
        parts = (self.requirements, self.constraints, *files, *machine)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


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


async def make_model_environment(packages: Packages, cache: Path) -> ModelEnvironment:
    """Return the environment with `packages`; make it if it is not there.

    Its Python is that of the image, or our own where uv cannot provide that one.

    Raises:
        ModelEnvironmentError: uv could not install the requirements.
    """
    wanted = packages.python
    exact = cache / packages.environment_name(wanted)
    if exact.exists():
        return ModelEnvironment(exact)
    # Named by both, so that it is not taken for one that somebody wanted.
    instead = cache / packages.environment_name(f"{OWN_PYTHON} for {wanted}")
    if wanted == OWN_PYTHON:
        await _make(packages, exact, sys.executable)
    elif await _can_provide(wanted, may_download=not instead.exists()):
        await _make(packages, exact, wanted)
    else:
        if not instead.exists():
            await _make(packages, instead, sys.executable)
        note = f"runs on Python {OWN_PYTHON}, its image on {wanted}, which uv cannot provide here"
        return ModelEnvironment(instead, (note,))
    return ModelEnvironment(exact)


async def _can_provide(version: str, *, may_download: bool) -> bool:
    find, download = ("find", "--no-project", "--system"), ("install",)
    for attempt in (find, download) if may_download else (find,):
        with contextlib.suppress(ModelEnvironmentError):
            await _uv(Path.cwd(), "python", *attempt, version)
            return True
    return False


async def _make(packages: Packages, environment: Path, python: str) -> None:
    environment.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=environment.parent, prefix=f".{environment.name}-"
    ) as scratch:
        unfinished = Path(scratch) / "unfinished"
        await _install(packages, unfinished, python, Path(scratch))
        try:
            unfinished.rename(environment)
        except OSError:
            if not environment.is_dir():  # otherwise somebody else was faster
                raise
            shutil.rmtree(unfinished)


async def _install(packages: Packages, environment: Path, python: str, scratch: Path) -> None:
    # Its scripts must survive the renaming.
    await _uv(packages.folder, "venv", "--relocatable", "--python", python, str(environment))
    if packages.is_empty:
        return
    requirements, constraints = scratch / "requirements.txt", scratch / "constraints.txt"
    requirements.write_text(packages.requirements)
    constraints.write_text(packages.constraints)
    files = [argument for file in packages.files for argument in ("-r", str(file))]
    await _uv(
        packages.folder, "pip", "install", "--python", str(environment / "bin" / "python"),
        "--index-strategy", "unsafe-best-match",
        *files, "-r", str(requirements), "-c", str(constraints),
    )  # fmt: skip


async def _uv(folder: Path, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *uv(*arguments),
        cwd=folder,
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
