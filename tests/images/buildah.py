"""Images built without a daemon, in a store of their own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian's programs look; a build sees this machine's there."""

_TOOLS = ("buildah", "debootstrap", "unshare")
_INSTALL = "on Debian: apt-get install buildah debootstrap"


class BuildError(Exception):
    """A build failed; the text is the end of what it said."""


def obstacle() -> str | None:
    """Return why no image can be built here, or `None`."""
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not found; {_INSTALL}"
    if os.geteuid() != 0:
        return "only root can make a base with debootstrap, and change the root of a process"
    unshared = subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, text=True, check=False
    )
    if unshared.returncode != 0:
        return f"this machine lets nobody mount: {unshared.stderr.strip()}"
    return None


@contextmanager
def step(what: str) -> Iterator[None]:
    """Tell what takes long, and how long it took."""
    sys.stderr.write(f"\n  {what} … ")
    sys.stderr.flush()
    began = time.monotonic()
    yield
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


@dataclass(frozen=True)
class Buildah:
    """Builds with `chroot` isolation and the storage driver `vfs`, which work in containers too."""

    store: Path

    def build(
        self, image: str, context: Path, *options: str, dockerfile: Path | None = None
    ) -> None:
        """Build `image` from `context`; nothing is pulled."""
        bundle = os.environ.get("SSL_CERT_FILE")
        certificates = ["--volume", f"{bundle}:{CERTIFICATES}:ro"] if bundle else []
        self._run(
            "build", "--isolation", "chroot", "--network", "host", "--pull-never", *certificates,
            *options, "--file", str(dockerfile or context / "Dockerfile"), "--tag", image,
            str(context),
        )  # fmt: skip

    def has(self, image: str) -> bool:
        """Whether `image` is there."""
        return bool(self._run("images", "--quiet", "--filter", f"reference={image}").strip())

    def tag(self, image: str, name: str) -> None:
        """Let `image` also be found under `name`."""
        self._run("tag", image, name)

    def config(self, image: str) -> dict[str, Any]:
        """Return what the image says of its process: user, environment, command, labels."""
        found = json.loads(self._run("inspect", "--type", "image", image))
        config: dict[str, Any] = found["OCIv1"]["config"]
        return config

    def size(self, image: str) -> str:
        """Return the size of `image` before compression."""
        (found,) = json.loads(self._run("images", "--json", image))
        return str(found["size"])

    def tidy(self) -> None:
        """Remove earlier builds, and the containers of a check that was ended."""
        self._run("rm", "--all")
        self._run("rmi", "--prune", "--force")

    @contextmanager
    def mounted(self, image: str) -> Iterator[Path]:
        """Yield the root of a container of `image`."""
        container = self._run("from", "--pull-never", image).strip()
        try:
            yield Path(self._run("mount", container).strip())
        finally:
            self._run("rm", container)

    def _run(self, command: str, *arguments: str) -> str:
        place = ("--root", str(self.store / "images"), "--runroot", str(self.store / "run"))
        argv: Sequence[str] = ("buildah", *place, "--storage-driver", "vfs", command, *arguments)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines()
            raise BuildError("\n".join([" ".join(argv), *said[-40:]]))
        return done.stdout
