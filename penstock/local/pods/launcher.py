"""How a container becomes a process: its image's build context says what to run."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.local.pods.model_environment import ModelEnvironment, make_model_environment
from penstock.local.pods.truss_app import TrussContext
from penstock.local.pods.workload import Container, Workload, WorkloadError
from penstock.local.processes import Command, inherited_environment
from penstock.local.state import StateFolder


@dataclass(frozen=True)
class TrussImage:
    """A model server: the Truss context, and where its requirements are installed."""

    context: TrussContext
    environment: ModelEnvironment

    @property
    def notes(self) -> tuple[str, ...]:
        """What is otherwise here than in a container."""
        return (*self.environment.notes, *self.context.notes)


@dataclass(frozen=True)
class OwnImage:
    """An image built from this repository: its code is importable here as well."""


Image = TrussImage | OwnImage


async def resolve_images(
    built: Iterable[Mapping[str, Any]], root: Path, environments: Path
) -> dict[str, Image]:
    """Return what each built image is, by its reference; models' requirements get installed.

    Raises:
        WorkloadError: an image is built from something that only Docker can run.
    """
    folders = {image["ref"]: Path(image["context"]["location"]) for image in built}

    async def resolve(folder: Path) -> Image:
        if folder == root:
            return OwnImage()
        if context := TrussContext.at(folder):
            return TrussImage(context, await make_model_environment(folder, environments))
        raise WorkloadError(f"{folder} is no Truss context; only Docker could run its image")

    images = await asyncio.gather(*(resolve(folder) for folder in folders.values()))
    return dict(zip(folders, images, strict=True))


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """Starts containers of all deployments."""

    images: Mapping[str, Image]
    aws_environment: Mapping[str, str]
    """What points an AWS SDK at the emulator."""

    state: StateFolder

    def notes(self, workload: Workload) -> tuple[str, ...]:
        """Return what is otherwise here than in a cluster."""
        images = (self._image(workload, container) for container in workload.containers)
        return tuple(
            note for image in images if isinstance(image, TrussImage) for note in image.notes
        )

    def command(
        self, workload: Workload, container: Container, pod: str, ports: Mapping[int, int]
    ) -> Command:
        """Return how to start `container` of a pod whose container ports are `ports` here.

        Raises:
            WorkloadError: its image cannot run without Docker.
        """
        home = self.state.scratch / pod / container.name
        home.mkdir(parents=True, exist_ok=True)
        argv, of_image, folder = self._process(workload, container, home, ports)
        return Command(
            name=f"{pod}/{container.name}",
            argv=argv,
            environment={
                **inherited_environment(),
                **self.aws_environment,
                **of_image,
                **container.environment_at(ports),
                "HOME": str(home),
                "TMPDIR": str(home),
            },
            folder=folder,
            log=self.state.logs / f"{pod}.{container.name}.log",
        )

    def _process(
        self, workload: Workload, container: Container, home: Path, ports: Mapping[int, int]
    ) -> tuple[list[str], dict[str, str], Path]:
        match self._image(workload, container):
            case OwnImage() if container.command[:1] == ("python",):
                return [sys.executable, *container.command[1:]], {}, home
            case TrussImage(context, environment) if len(container.ports) == 1:
                app = home / "app"
                context.lay_out(app)
                port = ports[container.ports[0]]
                return [str(environment.python), "main.py"], context.environment(app, port), app
            case _:
                raise WorkloadError(
                    f"deployment {workload.name}, container {container.name}: needs a command that"
                    " begins with python, or is a Truss server and needs one port"
                )

    def _image(self, workload: Workload, container: Container) -> Image:
        if container.image not in self.images:
            raise WorkloadError(
                f"deployment {workload.name}, container {container.name}: image {container.image}"
                " needs Docker; locally only Truss directories run"
            )
        return self.images[container.image]
