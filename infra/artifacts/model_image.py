"""What images of model servers are built from: Truss directories, through Truss, and containers."""

import shutil
from pathlib import Path

from infra.artifacts.image_context import check_no_secrets
from infra.artifacts.truss import context as truss_context
from infra.artifacts.truss import generators
from infra.artifacts.truss.config_file import read_config
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
    folders = (truss, *_packages_elsewhere(truss))
    modules = (__file__, truss_context.__file__, generators.__file__)
    code = (Path(module).read_text() for module in modules)
    name = fingerprint(*map(fingerprint_of, folders), *code)
    return built_once(cache / name, lambda folder: _build(truss, folder))


def _packages_elsewhere(truss: Path) -> list[Path]:
    folders = read_config(truss).get("external_package_dirs")
    return [truss / str(folder) for folder in folders] if isinstance(folders, list) else []


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
    truss_context.settle_context(truss, folder)
    # A second copy of all, weights too, of which Truss made a hash.
    shutil.rmtree(folder / "build_hash", ignore_errors=True)
    check_no_secrets(folder, truss)
