"""How a container becomes a process: its image says what to run, its pod where."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.local.pods.images.images import ContainerImage, Image, OwnImage, TrussImage
from penstock.local.pods.images.private_root import argv_inside, can_hold
from penstock.local.pods.images.truss_app import APP, PACKAGES, packages_beside
from penstock.local.pods.workload import Container, Workload, WorkloadError
from penstock.local.processes import Command, inherited_environment
from penstock.local.state import StateFolder

_WITHOUT_CREDENTIALS = ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED")
_MISPLACED = (
    f"its code names places below {APP} or {PACKAGES}, where this machine cannot let it find its"
    " files: that needs Linux with user namespaces"
)


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """Starts containers of all deployments."""

    images: Mapping[str, Image]
    aws_environment: Mapping[str, str]
    """What points an AWS SDK at the emulator, for containers that have credentials."""

    state: StateFolder
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The files of each ConfigMap, by its name."""

    known_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What was found of a deployment's directory, by its id."""

    def notes(self, workload: Workload) -> tuple[str, ...]:
        """Return what is otherwise here than in a cluster."""
        images = (self._image(workload, container) for container in workload.containers)
        found = [note for image in images for note in (*image.notes, *self._misplaced(image))]
        return (*found, *self.known_notes.get(workload.name, ()))

    def command(
        self, workload: Workload, container: Container, pod: str, ports: Mapping[int, int]
    ) -> Command:
        """Return how to start `container` of a pod whose container ports are `ports` here.

        Raises:
            WorkloadError: its image cannot run without Docker.
        """
        home = self.state.scratch / pod / container.name
        home.mkdir(parents=True, exist_ok=True)
        argv, own, folder = self._process(workload, container, home, ports)
        return Command(
            name=f"{pod}/{container.name}",
            argv=argv,
            environment={
                **inherited_environment(),
                **self.aws_of(container),
                **container.in_volumes(own, self.volumes(pod, container)),
                "HOME": str(home),
                "TMPDIR": str(home),
            },
            folder=folder,
            log=self.state.logs / f"{pod}.{container.name}.log",
        )

    def aws_of(self, container: Container) -> Mapping[str, str]:
        """Return what a container is told of AWS: a role of its own is the emulator's, too."""
        if container.has_aws:
            return self.aws_environment
        if container.has_role_of_its_own:
            return {name: self.aws_environment[name] for name in _WITHOUT_CREDENTIALS}
        return {}

    def volumes(self, pod: str, container: Container) -> Path:
        """Make the volumes that a container shares with others of its pod; return their folder."""
        folder = self.state.scratch / pod / "volumes"
        for volume in container.shared.values():
            (folder / volume).mkdir(parents=True, exist_ok=True)
        return folder

    def _process(
        self, workload: Workload, container: Container, home: Path, ports: Mapping[int, int]
    ) -> tuple[list[str], dict[str, str], Path]:
        args, given = container.arguments_at(ports), container.environment_at(ports)
        match self._image(workload, container):
            case OwnImage() if container.command[:1] == ("python",):
                return [sys.executable, *container.command[1:], *args], given, home
            case TrussImage() as image if len(container.ports) == 1 and not args:
                return self._truss_server(image, container, home, ports)
            case ContainerImage(program, environment) if len(container.ports) == 1:
                root = home / "root"
                folder = program.lay_out(root)
                for place, name in container.mounts.items():
                    program.mount(root, place, self._folder_of(name, home))
                declared = program.dockerfile.argv(container.command, args)
                own = program.environment(root, ports[container.ports[0]]) | given
                return program.argv(environment.python, root, declared), own, folder
            case _:
                raise WorkloadError(
                    f"deployment {workload.name}, container {container.name}: needs a command that"
                    " begins with python, or is a model server and needs one port"
                )

    def _folder_of(self, config_map: str, home: Path) -> Path:
        """Return a folder with the files of a ConfigMap."""
        folder = home / "config-maps" / config_map
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.config_maps[config_map].items():
            (folder / name).write_text(text)
        return folder

    def _truss_server(
        self, image: TrussImage, container: Container, home: Path, ports: Mapping[int, int]
    ) -> tuple[list[str], dict[str, str], Path]:
        app, view = home / "app", home / "root"
        image.context.lay_out(app)
        mounts = {place: self._folder_of(name, home) for place, name in container.mounts.items()}
        argv, is_inside = [str(image.environment.python), "main.py"], self._is_inside(image)
        if is_inside:
            view.mkdir(exist_ok=True)
            places = {APP: app, PACKAGES: packages_beside(app), **mounts}
            argv = argv_inside(places, view, APP, argv)
        else:
            for place, folder in mounts.items():
                image.context.mount(app, place, folder)
        given, port = container.environment_at(ports), ports[container.ports[0]]
        return argv, image.context.environment(app, port, given, is_inside=is_inside), app

    def _is_inside(self, image: TrussImage) -> bool:
        """Whether its process can see its files where the image has them."""
        return can_hold([APP, PACKAGES], [image.environment.folder, self.state.path])

    def _misplaced(self, image: Image) -> tuple[str, ...]:
        if not isinstance(image, TrussImage) or not image.context.names_places_of_the_image:
            return ()
        return () if self._is_inside(image) else (_MISPLACED,)

    def _image(self, workload: Workload, container: Container) -> Image:
        if container.image not in self.images:
            raise WorkloadError(
                f"deployment {workload.name}, container {container.name}: image {container.image}"
                " needs Docker; locally only Truss directories and Python programs run"
            )
        return self.images[container.image]
