"""What each image that the program builds is here: the build context says what to run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.local.pods.images.container_app import ContainerContext
from penstock.local.pods.images.model_environment import ModelEnvironment, make_model_environment
from penstock.local.pods.images.truss_app import TrussContext
from penstock.local.pods.workload import WorkloadError


@dataclass(frozen=True)
class TrussImage:
    """A model server: the Truss context, and where its requirements are installed."""

    context: TrussContext
    environment: ModelEnvironment

    @property
    def notes(self) -> tuple[str, ...]:
        """What is otherwise here than in a container, whatever its config.yaml says."""
        return self.environment.notes


@dataclass(frozen=True)
class ContainerImage:
    """A program in Python: its Dockerfile, and where its requirements are installed."""

    context: ContainerContext
    environment: ModelEnvironment

    @property
    def notes(self) -> tuple[str, ...]:
        """What is otherwise here than in a container."""
        return (*self.environment.notes, *self.context.notes)


@dataclass(frozen=True)
class OwnImage:
    """An image built from this repository: its code is importable here as well."""

    notes: tuple[str, ...] = ()


Image = TrussImage | ContainerImage | OwnImage


def images_by_reference(
    declared: Iterable[Mapping[str, Any]], root: Path, models: Mapping[Path, Image]
) -> dict[str, Image]:
    """Return what each declared image is, by its reference.

    Args:
        declared: the registered images.
        root: the context of our own image.
        models: what was built of the others, by their context.

    Raises:
        WorkloadError: an image's context is none of these.
    """
    images: dict[str, Image] = {}
    for image in declared:
        folder = Path(image["context"]["location"]).resolve()
        if folder != root and folder not in models:
            raise WorkloadError(f"an image is built from {folder}, which no deployment names")
        images[_ref(image)] = OwnImage() if folder == root else models[folder]
    return images


def _ref(image: Mapping[str, Any]) -> str:
    (export,) = image["exports"]
    (repository,) = export["registry"]["names"]
    return f"{repository}@{image['digest']}"


async def model_image(
    folder: Path, directory: Path, environments: Path
) -> TrussImage | ContainerImage:
    """Return the image of the model server whose context is `folder`, made of `directory`.

    Raises:
        WorkloadError: only Docker could run it.
    """
    if truss := TrussContext.at(folder):
        environment = await make_model_environment(truss.packages(directory), environments)
        return TrussImage(truss, environment)
    if container := ContainerContext.at(folder):
        environment = await make_model_environment(container.packages, environments)
        return ContainerImage(container, environment)
    raise WorkloadError(f"{folder} has no Dockerfile")
