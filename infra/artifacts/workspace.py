"""Where built things are kept, and how they come to be: whole or not at all."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from penstock.contracts.errors import PenstockError

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

CACHE = ROOT / ".penstock"
"""Built things; safe to delete."""

_NEVER_SHIPPED = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


class ArtifactError(PenstockError):
    """Something that a stack needs cannot be built; the text says why."""


def run(
    what: str,
    command: Sequence[str],
    *,
    stdin: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a command at the repository's root and return what it printed.

    Args:
        what: what it does, for errors.
        command: the program and its arguments.
        stdin: what it reads.
        variables: added to the environment.

    Raises:
        ArtifactError: it cannot be started, or failed; the text carries what it complained of.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            input=stdin,
            env={**os.environ, **(variables or {})},
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError as error:
        raise ArtifactError(f"{what}: {command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()
        raise ArtifactError(f"{what}: {' '.join(command)} failed:\n{said}") from error
    return done.stdout


def uv(*arguments: str) -> list[str]:
    """Return a command of the uv that is installed with us; there may be none on the PATH."""
    return [find_uv_bin(), *arguments]


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return `target`; if it is not there, `build` it elsewhere and rename it when whole."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        unfinished = Path(scratch) / "unfinished"
        build(unfinished)
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise somebody else built the same meanwhile
                raise
            shutil.rmtree(unfinished)
    return target


def prune(folder: Path, pattern: str, *, keep: int) -> None:
    """Delete what matches `pattern` in `folder`, except the newest."""
    with contextlib.suppress(FileNotFoundError):  # somebody else prunes at the same time
        newest_first = sorted(folder.glob(pattern), key=lambda p: p.stat().st_mtime, reverse=True)
        for path in newest_first[keep:]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def shipped_files(folder: Path) -> Iterator[Path]:
    """Yield the files under `folder` that belong to a build, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        parts = set(path.relative_to(folder).parts)
        if path.is_file() and not parts & _NEVER_SHIPPED and path.suffix != ".pyc":
            yield path


def fingerprint(*texts: str) -> str:
    """Return a short name for `texts`: equal texts, equal name."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:20]


def fingerprint_of(folder: Path) -> str:
    """Return a short name for the content of `folder`."""
    return fingerprint_of_files(folder, shipped_files(folder))


def fingerprint_of_files(folder: Path, files: Iterable[Path]) -> str:
    """Return a short name for `files` below `folder`: their names, contents and modes."""
    texts: list[str] = []
    for path in files:
        executable = bool(path.stat().st_mode & 0o100)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        texts.append(f"{path.relative_to(folder).as_posix()} {executable} {content}")
    return fingerprint(*texts)
