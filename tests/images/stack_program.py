"""`python -m tests.images.stack_program`: a local stack whose pods run from built images."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from penstock.local.pods.launcher import Launcher
from penstock.local.pods.workload import Container, Workload
from penstock.local.processes import Command
from penstock.local.stack import StackOptions, run_stack
from penstock.local.state import StateFolder
from tests.images.container import BuiltContainer, BuiltContainers

_TRUSS_PORT = "INFERENCE_SERVER_PORT"
"""Pods of a cluster have an address each; here one must be told where to listen."""


@dataclass(frozen=True, kw_only=True)
class ImageLauncher(Launcher):
    """Starts containers of built images."""

    built: Mapping[str, BuiltContainer]

    def command(
        self, workload: Workload, container: Container, pod: str, ports: Mapping[int, int]
    ) -> Command:
        """Return how to start `container` of a pod whose container ports are `ports` here."""
        built = self.built[f"{workload.name}/{container.name}"]
        scratch = self.state.scratch / pod / container.name
        scratch.mkdir(parents=True, exist_ok=True)
        port = {_TRUSS_PORT: str(ports[container.ports[0]])}
        return Command(
            name=f"{pod}/{container.name}",
            argv=built.argv(container.command, container.arguments_at(ports), scratch),
            environment={
                **self.aws_of(container),
                **built.environment,
                **(port if _TRUSS_PORT in built.environment else {}),
                **container.environment_at(ports),
            },
            folder=scratch,
            log=self.state.logs / f"{pod}.{container.name}.log",
        )


def main() -> None:
    """Run the stack until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", required=True, type=Path)
    parser.add_argument("--settings", required=True, type=Path)
    parser.add_argument("--state", required=True, type=Path)
    asked = parser.parse_args()
    built = BuiltContainers.validate_json(asked.containers.read_bytes())
    options = StackOptions(
        settings_file=asked.settings,
        state=StateFolder.at(asked.state),
        launcher=partial(ImageLauncher, built=built),
    )
    run_stack(options, print, lambda _: None)


if __name__ == "__main__":
    main()
