"""From a Truss directory to the context of its image, by Truss itself."""

from pathlib import Path

from infra.artifacts.workspace import CACHE, ArtifactError, built_once, fingerprint_of, run, uv

TRUSS_VERSION = "0.18.35"


def model_context(truss: Path, cache: Path = CACHE / "contexts") -> Path:
    """Return the folder that the model's image is built from: the real Truss server and the model.

    Raises:
        ArtifactError: there is no Truss directory, or Truss refuses it.
    """
    if not truss.is_dir():
        raise ArtifactError(f"{truss}: there is no such Truss directory")
    if not (truss / "config.yaml").is_file():
        raise ArtifactError(f"{truss}: not a Truss directory, it has no config.yaml")
    return built_once(
        cache / f"{fingerprint_of(truss)}-{TRUSS_VERSION}", lambda folder: _build(truss, folder)
    )


def _build(truss: Path, folder: Path) -> None:
    run(
        f"making the image context of {truss}",
        uv(
            *("tool", "run", "--from", f"truss=={TRUSS_VERSION}"),
            *("truss", "image", "build-context", "--non-interactive", str(folder), str(truss)),
        ),
    )
    if not (folder / "Dockerfile").is_file():
        raise ArtifactError(f"{truss}: Truss made no Dockerfile")
