"""The folders that a Truss server runs in, laid out as the Dockerfile of its context does it."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock.local.pods.images.model_environment import Packages
from penstock.local.pods.workload import WorkloadError

APP, PACKAGES = "/app", "/packages"
"""Where the image has the server with the model, and the model's own packages."""

_INDEX = re.compile(r"^\s*(-i|--index-url)\b")
_APP_HOME = "${APP_HOME}"
_COPY = re.compile(
    rf"^COPY (?:--chown=\S+ )?\./(\S+) ({re.escape(_APP_HOME)}|{PACKAGES})(\S*)$", re.MULTILINE
)
_ABSOLUTE = re.compile(r"[\"'](/app|/packages)(/|[\"'])")

_DATA = f"{APP}/data"
_MOST_COPIED_BYTES = 64 * 1024**2
"""Larger data is a link: it takes no time and no disk, but what is written there stays."""

_CONSTRAINED = ("-c", "constraints.txt")


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

    def packages(self, owner: Path) -> Packages:
        """Return what its image has, except for the index that Truss names: the user's own applies.

        Args:
            owner: the Truss directory, for errors.
        """
        digits = self.config["python_version"].removeprefix("py")  # Truss writes `py312`
        names = ["constraints.txt", *self._given_files]
        files = {name: (self.folder / name).read_text() for name in names}
        lines = (self.folder / "requirements.txt").read_text().splitlines()
        files["requirements.txt"] = "".join(f"{n}\n" for n in lines if not _INDEX.match(n))
        first: list[tuple[str, ...]]
        match self._given_files:
            case [*_, "uv.lock"]:
                first = [("-r", Packages.LOCKED)]
            case ["pyproject.toml"]:
                first = [("-r", "pyproject.toml")]
            case [given]:
                first = [("-r", given, *_CONSTRAINED)]
            case _:
                first = []
        return Packages(
            owner=owner,
            python=f"{digits[0]}.{digits[1:]}",
            files=files,
            installs=(*first, ("-r", "requirements.txt", *_CONSTRAINED)),
        )

    @property
    def _given_files(self) -> list[str]:
        """What Truss calls the `requirements_file` of the config, and what belongs to it."""
        name = Path(self.config.get("requirements_file") or "").name
        match name:
            case "":
                return []
            case "uv.lock":
                return ["pyproject.toml", "uv.lock"]
            case "pyproject.toml":
                return ["pyproject.toml"]
            case _:
                return ["user_requirements.txt"]

    @property
    def names_places_of_the_image(self) -> bool:
        """Whether the model's code says `/app` or `/packages`."""
        folders = [self.folder / source for source, place in self._copies if place != APP]
        files = (file for folder in folders for file in folder.rglob("*.py"))
        return any(_ABSOLUTE.search(file.read_text(errors="replace")) for file in files)

    def lay_out(self, app: Path) -> None:
        """Make `app`, from which `python main.py` starts the server, and the folder of packages."""
        for folder in (app, packages_beside(app)):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for source, place in self._copies:
            target = app.parent / place.lstrip("/")
            if place == _DATA and _size_bytes(self.folder / source) > _MOST_COPIED_BYTES:
                target.symlink_to(self.folder / source)
            elif (self.folder / source).is_dir():
                shutil.copytree(self.folder / source, target, dirs_exist_ok=True)
            else:
                shutil.copy(self.folder / source, target)

    @property
    def _copies(self) -> Iterator[tuple[str, str]]:
        """Yield what of the context lies below `/app` and `/packages`, and where."""
        for source, top, below in _COPY.findall((self.folder / "Dockerfile").read_text()):
            yield source, f"{APP if top == _APP_HOME else top}{below}"

    def mount(self, app: Path, place: str, folder: Path) -> None:
        """Let the server in `app`, and the model's own code, find `folder` instead of `place`.

        For a machine that cannot let `folder` lie there.

        Raises:
            WorkloadError: it looks there for nothing, or not in a way that is known.
        """
        found = [file for file in app.rglob("*.py") if place.encode() in file.read_bytes()]
        if not found:
            raise WorkloadError(f"{self.folder}: this Truss server reads nothing in {place}")
        for file in found:
            file.write_bytes(file.read_bytes().replace(place.encode(), bytes(folder)))

    def environment(
        self, app: Path, port: int, given: Mapping[str, str], *, is_inside: bool = False
    ) -> dict[str, str]:
        """Return what its pod gives the server, and what the Dockerfile sets for it.

        Args:
            app: where the app was laid out.
            port: where the server listens.
            given: what its pod gives it.
            is_inside: whether the server sees the app in its place in the image.
        """
        # In `/packages` the server itself looks for them, after all that it is given.
        beside = None if is_inside else str(packages_beside(app))
        paths = os.pathsep.join(path for path in (given.get("PYTHONPATH"), beside) if path)
        return {
            "PYTHONUNBUFFERED": "1",
            "APP_HOME": APP if is_inside else str(app),
            **given,
            "INFERENCE_SERVER_PORT": str(port),
            **({"PYTHONPATH": paths} if paths else {}),
        }


def packages_beside(app: Path) -> Path:
    """Return the folder that is `/packages` for an app."""
    return app.with_name("packages")


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
