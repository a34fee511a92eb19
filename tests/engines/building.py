"""Builds programs from the Go module proxy into a cache that git ignores."""

import json
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from infra.artifacts.workspace import ROOT

HERE = Path(__file__).parent
CACHE = ROOT / ".penstock" / "engines"
_BUILD_TIMEOUT_SECONDS = 3_600


def versions() -> dict[str, Any]:
    """Return the pinned versions."""
    return tomllib.loads((HERE / "versions.toml").read_text())


@dataclass(frozen=True)
class GoModule:
    """A folder of `modules/` and the programs that it builds."""

    name: str
    packages: Sequence[str]
    """Import paths of main packages."""

    variables: Sequence[tuple[str, str]] = ()
    """Variables that the linker sets, such as a version."""

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return HERE / "modules" / self.name

    def build(self) -> Path:
        """Return the folder of its programs, built at the first call on a machine."""
        go = _go()
        target = CACHE / self.name
        stamp, wanted = target / "built-from", self._inputs(go)
        if stamp.is_file() and stamp.read_text() == wanted:
            return target
        target.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        print(f"building {self.name} (minutes, once)", flush=True)  # noqa: T201 - progress
        linked = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables)])
        command = ["build", "-mod=readonly", "-trimpath", f"-ldflags={linked}", "-o", f"{target}/"]
        _run(go, [*command, *self.packages], self.folder)
        stamp.write_text(wanted)
        return target

    def _inputs(self, go: str) -> str:
        parts = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        parts += [repr((self.packages, self.variables)).encode()]
        return f"{sha256(b''.join(parts)).hexdigest()} {_run(go, ['version'], self.folder)}"


def source(module: str, version: str) -> Path:
    """Return where the module proxy's files of a module lie, read-only."""
    found = _run(_go(), ["mod", "download", "-json", f"{module}@v{version}"], HERE)
    return Path(json.loads(found)["Dir"])


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed: install Go 1.26 or newer from your system's packages")
    return go


def _run(go: str, arguments: Sequence[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            [go, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=_BUILD_TIMEOUT_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = f"{error.stderr}{error.stdout}"  # of a download, the error is in the output
        missing = [line.strip() for line in said.splitlines() if _is_missing(line)]
        if not missing:
            raise AssertionError(f"go {' '.join(arguments)}:\n{said}") from error
        pytest.skip(f"Go or a Go module is not to be had: {missing[0]}")
    return done.stdout


def _is_missing(line: str) -> bool:
    signs = (
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
        "dial tcp",
        "no such host",
        "i/o timeout",
        "requires go >=",
        "toolchain not available",
    )
    return any(sign in line for sign in signs)
