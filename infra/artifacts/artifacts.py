"""Where the program gets its built parts from; the local stack and tests bring their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.artifacts.lambda_bundle import CLOUD, lambda_archive
from infra.artifacts.model_image import model_context
from infra.artifacts.truss.directories import check_for_images
from infra.settings.stack_settings import StackSettings

Notes = Mapping[str, tuple[str, ...]]
"""What of a model's directory has no effect, by deployment id."""


def _not_looked_at(_: StackSettings) -> Notes:
    return {}


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """The built parts of a stack."""

    lambda_archive: Callable[[], Path]
    """Builds the functions' archive."""

    model_context: Callable[[Path], Path]
    """Turns a Truss directory into the context of its image."""

    check_models: Callable[[StackSettings], Notes] = _not_looked_at
    """Refuses what cannot be served, before anything is built."""

    lambda_runtime: str = "python3.13"
    lambda_architecture: Literal["arm64", "x86_64"] = "arm64"


def cloud_artifacts() -> Artifacts:
    """Return the artifacts of a stack in AWS."""
    return Artifacts(
        lambda_archive=lambda: lambda_archive(CLOUD),
        model_context=model_context,
        check_models=check_for_images,
    )
