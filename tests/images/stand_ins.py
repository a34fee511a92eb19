"""Bases made of Debian's packages: they stand in for those that a registry has."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.images.buildah import CERTIFICATES, Buildah, BuildError, step

_DOCKERFILE = f"""\
FROM scratch
COPY . /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    PIP_CERT={CERTIFICATES} \\
    SSL_CERT_FILE={CERTIFICATES}
"""


@dataclass(frozen=True)
class StandIn:
    """A release of Debian with a few packages."""

    suite: str
    packages: tuple[str, ...]

    @property
    def image(self) -> str:
        """What it is called."""
        return f"localhost/penstock-stand-in-{self.suite}"

    def make(self, buildah: Buildah) -> None:
        """Make it, unless it is there."""
        if buildah.has(self.image):
            return
        with (
            step(f"a base of Debian {self.suite}"),
            tempfile.TemporaryDirectory(dir=buildah.store) as folder,
        ):
            root = Path(folder) / "root"
            self._unpack(root)
            # The images that are stood in for hold no archives, and let pip install.
            for pattern in ("var/cache/apt/archives/*.deb", "usr/lib/python3*/EXTERNALLY-MANAGED"):
                for path in root.glob(pattern):
                    path.unlink()
            dockerfile = Path(folder) / "Dockerfile"
            dockerfile.write_text(_DOCKERFILE)
            buildah.build(self.image, root, dockerfile=dockerfile)

    def _unpack(self, root: Path) -> None:
        included = ",".join(("ca-certificates", *self.packages))
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={included}", self.suite, str(root)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError("\n".join(done.stdout.splitlines()[-20:]))


PYTHON = StandIn("trixie", ("python3", "python3-pip", "python-is-python3"))
"""For `python:3.13-slim`: Debian 13 with its Python 3.13."""

CUDA = StandIn("bookworm", ())
"""For `nvidia/cuda`: a Debian without Python and without CUDA. Its Python, 3.11, has wheels of all
that Truss asks for."""
