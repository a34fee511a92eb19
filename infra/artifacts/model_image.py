"""What images of model servers are built from: Truss directories, through Truss, and containers."""

import shutil
from pathlib import Path

from infra.artifacts.image_context import check_no_secrets
from infra.artifacts.workspace import (
    CACHE,
    ArtifactError,
    built_once,
    fingerprint,
    fingerprint_of,
    run,
    uv,
)

TRUSS_VERSION = "0.18.35"

_AS_A_USER = {"BT_USE_NON_ROOT_USER": "true"}
"""Lets Truss end its Dockerfile as user 60000, to whom `/app` belongs. Otherwise the server, which
writes there, could run as root alone, and pods do not let it."""


def model_context(truss: Path, cache: Path = CACHE / "contexts") -> Path:
    """Return the folder that the model's image is built from: the real Truss server and the model.

    Raises:
        ArtifactError: there is no Truss directory, Truss refuses it, or it holds a secret.
    """
    if not truss.is_dir():
        raise ArtifactError(f"{truss}: there is no such Truss directory")
    if not (truss / "config.yaml").is_file():
        raise ArtifactError(f"{truss}: not a Truss directory, it has no config.yaml")
    name = fingerprint(fingerprint_of(truss), Path(__file__).read_text())
    return built_once(cache / name, lambda folder: _build(truss, folder))


def container_context(directory: Path) -> Path:
    """Return a directory that an image can be built from as it is.

    Raises:
        ArtifactError: there is none, it has no Dockerfile, or it holds a secret.
    """
    if not (directory / "Dockerfile").is_file():
        raise ArtifactError(f"{directory}: there is no such directory with a Dockerfile")
    check_no_secrets(directory, directory)
    return directory


def _build(truss: Path, folder: Path) -> None:
    run(
        f"making the image context of {truss}",
        uv(
            *("tool", "run", "--from", f"truss=={TRUSS_VERSION}"),
            *("truss", "image", "build-context", "--non-interactive", str(folder), str(truss)),
        ),
        variables=_AS_A_USER,
    )
    if not (folder / "Dockerfile").is_file():
        raise ArtifactError(f"{truss}: Truss made no Dockerfile")
    # A second copy of all, weights too, of which Truss made a hash.
    shutil.rmtree(folder / "build_hash", ignore_errors=True)
    check_no_secrets(folder, truss)
