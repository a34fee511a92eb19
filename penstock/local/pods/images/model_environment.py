"""The Python environment of a model server, made as the Dockerfile of its image makes it."""

import asyncio
import contextlib
import hashlib
import platform
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from infra.artifacts.workspace import uv
from penstock.contracts.errors import PenstockError

OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""What stands in where uv cannot provide a Python."""

_LOCK = "uv.lock"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


class ModelEnvironmentError(PenstockError):
    """A model server's requirements cannot be installed; the text names them and what uv said."""

    def __init__(self, text: str, said: str = "") -> None:
        super().__init__(text)
        self.said = said


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What is installed in an image, and for which Python."""

    LOCKED: ClassVar[str] = "uv_requirements.txt"
    """The file of requirements that a `uv.lock` becomes, if it is among the files."""

    owner: Path
    """The directory that asks for them, for errors."""

    python: str
    """As in `3.12`."""

    files: Mapping[str, str] = field(default_factory=dict)
    """What uv reads, by name."""

    folder: Path | None = None
    """Where the files lie; `None`: uv is given them in a folder of their own, and sees no more."""

    installs: tuple[tuple[str, ...], ...] = ()
    """What `pip install` is told, one after the other."""

    def environment_name(self, python: str) -> str:
        """Return a name that is the same wherever packages and Python are."""
        files = (part for pair in sorted(self.files.items()) for part in pair)
        installs = (part for install in self.installs for part in ("pip", *install))
        parts = (*files, *installs, python, sys.platform, platform.machine())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]

    def named_in(self, complaint: str) -> list[str]:
        """Return the requirements that a complaint of uv's is about, as they are written."""
        named = (one for install in self.installs for one in self._asked(install))
        return list(dict.fromkeys(one for one in named if _is_named(one, complaint)))

    def _asked(self, install: tuple[str, ...]) -> Iterator[str]:
        words = iter(install)
        for word in words:
            match word:
                case "-r":
                    name = next(words)
                    text = self.files.get("pyproject.toml" if name == self.LOCKED else name, "")
                    yield from _requirements(text)
                case "-c":
                    next(words)
                case _:
                    yield word


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
    folder = packages.folder or scratch / "files"
    if packages.folder is None:
        folder.mkdir()
        for name, text in packages.files.items():
            (folder / name).write_text(text)
    # Its scripts must survive the renaming.
    await _uv(folder, "venv", "--relocatable", "--python", python, str(environment))
    installed = ("--python", str(environment / "bin" / "python"))
    try:
        if _LOCK in packages.files:
            export = ("export", "--quiet", "--frozen", "--format", "requirements-txt")
            await _uv(folder, *export, *installed, "--output-file", packages.LOCKED)
        for what in packages.installs:
            strategy = ("--index-strategy", "unsafe-best-match")
            await _uv(folder, "pip", "install", *installed, *strategy, *what)
    except ModelEnvironmentError as error:
        named = packages.named_in(error.said)
        which = f"requirement {', '.join(named)}" if named else "its requirements"
        raise ModelEnvironmentError(
            f"{packages.owner}: {which} cannot be installed; uv says:\n{error.said}", error.said
        ) from error


def _requirements(text: str) -> Iterator[str]:
    """Yield the requirements in a file, be it a pyproject.toml."""
    if "[project]" not in text:
        lines = (line.split(" #")[0].strip() for line in text.splitlines())
        yield from (line for line in lines if line and line[0] not in "#-")
        return
    with contextlib.suppress(tomllib.TOMLDecodeError):
        found = tomllib.loads(text).get("project", {}).get("dependencies", [])
        yield from (line for line in found if isinstance(line, str))


def _is_named(requirement: str, complaint: str) -> bool:
    name = _NAME.match(requirement)
    if name is None or "://" in requirement.split("@", maxsplit=1)[0]:
        return requirement.removeprefix("git+") in complaint
    words = r"[-_.]+".join(re.escape(part) for part in re.split(r"[-_.]+", name[0]))
    return bool(re.search(rf"(?<![\w.-]){words}(?![\w-])", complaint, re.IGNORECASE))


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
        said = output.decode(errors="replace").strip()
        raise ModelEnvironmentError(f"uv {' '.join(arguments)} failed:\n{said}", said)
