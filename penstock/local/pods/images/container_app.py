"""The files that a container runs with, laid out in a folder as its Dockerfile lays them out."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.local.pods.images.dockerfile import Copy, Dockerfile
from penstock.local.pods.images.model_environment import OWN_PYTHON, Packages
from penstock.local.pods.workload import WorkloadError

_PYTHON = re.compile(r"python3?(\.\d+)?")
_NEVER_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__")

_PORT_VARIABLES = ("PORT", "SAGEMAKER_BIND_TO_PORT")
"""Where programs in containers commonly look for the port to listen on."""


@dataclass(frozen=True)
class ContainerContext:
    """A directory with a Dockerfile."""

    folder: Path
    dockerfile: Dockerfile

    @classmethod
    def at(cls, folder: Path) -> "ContainerContext | None":
        """Return the context in `folder`, or `None` if no Dockerfile lies there.

        Raises:
            WorkloadError: the Dockerfile cannot be read.
        """
        file = folder / "Dockerfile"
        return cls(folder, Dockerfile.read(file)) if file.is_file() else None

    @property
    def packages(self) -> Packages:
        """What its image installs with pip."""
        names = [Path(name).name for name in self.dockerfile.requirement_files]
        files = [part for name in names for part in ("-r", name)]
        asked = (*files, *self.dockerfile.requirements)
        return Packages(
            owner=self.folder,
            python=self.dockerfile.python or OWN_PYTHON,
            files={name: self._file(name).read_text() for name in names},
            folder=self.folder,
            installs=(asked,) if asked else (),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What its image has and the folder has not."""
        notes = list(self.dockerfile.notes)
        if self.dockerfile.python is None:
            base = self.dockerfile.base
            notes.append(f"FROM {base} is not followed: it runs on Python {OWN_PYTHON}")
        if (self.folder / ".dockerignore").is_file():
            notes.append(".dockerignore is not followed")
        return tuple(notes)

    def check(self, args: Sequence[str]) -> None:
        """Pass if it can run here with `args` instead of its own command's.

        Raises:
            WorkloadError: it cannot; the text says why.
        """
        _ = self.packages
        for copy in self.dockerfile.copies:
            for pattern in copy.sources:
                self._found(pattern)
        self.argv(Path("python"), self.folder, self.dockerfile.argv((), tuple(args)))

    def lay_out(self, root: Path) -> Path:
        """Make the image's files under `root`; return where its program runs.

        Raises:
            WorkloadError: a file is not there.
        """
        shutil.rmtree(root, ignore_errors=True)
        home = _under(root, str(self.dockerfile.folder))
        home.mkdir(parents=True)
        for copy in self.dockerfile.copies:
            self._copy(copy, root)
        return home

    def mount(self, root: Path, place: str, folder: Path) -> None:
        """Let `folder` lie at `place` among the image's files under `root`."""
        target = _under(root, place)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(folder)

    def argv(self, python: Path, root: Path, declared: Sequence[str]) -> list[str]:
        """Return the command line that starts `declared` here.

        Raises:
            WorkloadError: it does not begin with Python.
        """
        if not declared or not _PYTHON.fullmatch(Path(declared[0]).name):
            raise WorkloadError(
                f"{self.folder}: without Docker only a command runs that begins with python, in"
                f' the JSON form, such as CMD ["python", "server.py"]; here it is {list(declared)}'
            )
        return [str(python), *(_moved(word, root) for word in declared[1:])]

    def environment(self, root: Path, port: int) -> dict[str, str]:
        """Return what the image sets for its program, and where it is to listen here."""
        declared = {name: _moved(v, root) for name, v in self.dockerfile.environment.items()}
        return declared | dict.fromkeys(_PORT_VARIABLES, str(port)) | {"PYTHONUNBUFFERED": "1"}

    def _copy(self, copy: Copy, root: Path) -> None:
        target = _under(root, str(copy.target))
        for pattern in copy.sources:
            for source in self._found(pattern):
                if source.is_dir():
                    shutil.copytree(source, target, ignore=_NEVER_COPIED, dirs_exist_ok=True)
                    continue
                file = target / source.name if copy.is_folder or target.is_dir() else target
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, file)

    def _found(self, pattern: str) -> Sequence[Path]:
        relative = pattern.strip("/").removeprefix("./")
        found = [self.folder] if relative in {"", "."} else sorted(self.folder.glob(relative))
        if not found or ".." in Path(relative).parts:
            raise WorkloadError(f"{self.folder}: COPY {pattern}: there is no such file")
        return found

    def _file(self, name: str) -> Path:
        file = self.folder / Path(name).name
        if not file.is_file():
            raise WorkloadError(f"{self.folder}: pip install -r {name}: there is no such file")
        return file


def _under(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _moved(value: str, root: Path) -> str:
    """Return `value` with each path of the image in it replaced by the one that it has here."""
    parts = value.split(":")
    return ":".join(
        str(_under(root, part)) if part.startswith("/") and _under(root, part).exists() else part
        for part in parts
    )
