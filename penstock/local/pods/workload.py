"""What a Kubernetes Deployment says about its pods, as far as processes can follow it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.contracts.errors import PenstockError


class WorkloadError(PenstockError):
    """A Deployment asks for what processes cannot give; the text names it."""


@dataclass(frozen=True)
class ReadinessProbe:
    """An HTTP GET that succeeds when the container takes work."""

    path: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[int, ...]
    readiness: ReadinessProbe | None

    def environment_at(self, ports: Mapping[int, int]) -> dict[str, str]:
        """Return the environment with each container port replaced by the one it has here.

        A port is recognised after `127.0.0.1:` anywhere, and by itself in a variable named
        `…PORT`, if it is one of this container's.
        """

        def moved(name: str, value: str) -> str:
            if name.endswith("PORT") and value.isdigit() and int(value) in self.ports:
                return str(ports[int(value)])
            return re.sub(
                r"(?<=\b127\.0\.0\.1:)\d+",
                lambda found: str(ports.get(int(found[0]), found[0])),
                value,
            )

        return {name: moved(name, value) for name, value in self.environment.items()}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Deployment: its name and the containers of each of its pods."""

    name: str
    containers: tuple[Container, ...]
    grace_seconds: float
    """How long a pod may take to end."""

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> "Workload":
        """Read a Deployment as it was registered.

        Raises:
            WorkloadError: a container is configured by something that is not here.
        """
        name = deployment["metadata"]["name"]
        pod = deployment["spec"]["template"]["spec"]
        if pod.get("initContainers"):
            raise WorkloadError(f"deployment {name}: init containers do not run locally")
        return cls(
            name=name,
            containers=tuple(_container(name, declared) for declared in pod["containers"]),
            grace_seconds=float(pod.get("terminationGracePeriodSeconds", 30)),
        )

    @property
    def ports(self) -> frozenset[int]:
        """The ports of all containers; they share one network address."""
        return frozenset(port for container in self.containers for port in container.ports)


def _container(deployment: str, declared: Mapping[str, Any]) -> Container:
    where = f"deployment {deployment}, container {declared['name']}"
    for key in ("envFrom", "args", "lifecycle"):
        if declared.get(key):
            raise WorkloadError(f"{where}: {key} is not followed locally")
    environment = {}
    for variable in declared.get("env", []):
        if "value" not in variable:
            raise WorkloadError(f"{where}: {variable['name']} has no plain value")
        environment[variable["name"]] = variable["value"]
    return Container(
        name=declared["name"],
        image=declared["image"],
        command=tuple(declared.get("command", ())),
        environment=environment,
        ports=tuple(port["containerPort"] for port in declared.get("ports", [])),
        readiness=_readiness(declared.get("readinessProbe")),
    )


def _readiness(probe: Mapping[str, Any] | None) -> ReadinessProbe | None:
    return ReadinessProbe(probe["httpGet"]["path"], probe["httpGet"]["port"]) if probe else None
