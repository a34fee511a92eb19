"""The folder that a Truss server runs in, laid out as the Dockerfile of its context does it."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock.local.pods.images.model_environment import Packages
from penstock.local.pods.workload import WorkloadError

_INDEX = re.compile(r"^\s*(-i|--index-url)\b")

_OF_THE_MODEL = ("pyproject.toml", "user_requirements.txt")
"""Where Truss puts what the config calls `requirements_file`; uv.lock is not supported yet."""

_COPIED = ("model",)
_LINKED = ("data", "packages")
"""Only read, and sometimes large."""


@dataclass(frozen=True)
class TrussContext:
    """The image context that `truss image build-context` made of a Truss directory."""

    folder: Path
    config: dict[str, Any]

    @classmethod
    def at(cls, folder: Path) -> "TrussContext | None":
        """Return the context in `folder`, or `None` if something else lies there."""
        if not (folder / "server" / "main.py").is_file():
            return None
        return cls(folder, yaml.safe_load((folder / "config.yaml").read_text()))

    @property
    def packages(self) -> Packages:
        """What its image has, except for the index that Truss names: the user's own applies."""
        lines = (self.folder / "requirements.txt").read_text().splitlines()
        digits = self.config["python_version"].removeprefix("py")  # Truss writes `py312`
        return Packages(
            folder=self.folder,
            python=f"{digits[0]}.{digits[1:]}",
            files=tuple(f for name in _OF_THE_MODEL if (f := self.folder / name).is_file()),
            requirements="".join(f"{line}\n" for line in lines if not _INDEX.match(line)),
            constraints=(self.folder / "constraints.txt").read_text(),
        )

    def lay_out(self, app: Path) -> None:
        """Make the folder `app`, from which `python main.py` starts the server."""
        shutil.rmtree(app, ignore_errors=True)
        shutil.copytree(self.folder / "server", app)
        shutil.copy(self.folder / "config.yaml", app)
        for name in _COPIED:
            shutil.copytree(self.folder / name, app / name)
        for name in _LINKED:
            if (self.folder / name).is_dir():
                (app / name).symlink_to(self.folder / name)

    def mount(self, app: Path, place: str, folder: Path) -> None:
        """Let the server in `app`, and the model's own code, find `folder` instead of `place`.

        Raises:
            WorkloadError: it looks there for nothing, or not in a way that is known.
        """
        found = [file for file in app.rglob("*.py") if place.encode() in file.read_bytes()]
        if not found:
            raise WorkloadError(f"{self.folder}: this Truss server reads nothing in {place}")
        for file in found:
            file.write_bytes(file.read_bytes().replace(place.encode(), bytes(folder)))

    def environment(self, app: Path, port: int, given: Mapping[str, str]) -> dict[str, str]:
        """Return what its pod gives the server, and what the Dockerfile sets for it."""
        # The server itself looks for packages in `/packages`, after all that it is given.
        paths = (given.get("PYTHONPATH"), str(app / "packages"))
        return {
            "PYTHONUNBUFFERED": "1",
            **given,
            "INFERENCE_SERVER_PORT": str(port),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        }
