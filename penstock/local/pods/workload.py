"""What a Kubernetes Deployment says about its pods, as far as processes can follow it."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.contracts.errors import PenstockError

_CREDENTIALS_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_WITHOUT_CREDENTIALS = "eks.amazonaws.com/skip-containers"
"""The annotation of a pod by which EKS Pod Identity passes containers by."""

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
"""What Kubernetes replaces in the values of variables: another variable, or two dollars by one."""


class WorkloadError(PenstockError):
    """A Deployment asks for what processes cannot give; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A question whose answer tells how a container is; the defaults are those of Kubernetes."""

    path: str | None
    """What is got over HTTP; `None`: whoever listens passes."""

    port: int
    """Of any container of the pod."""

    period_seconds: float = 10
    timeout_seconds: float = 1
    failure_threshold: int = 3
    initial_delay_seconds: float = 0
    grace_seconds: float | None = None
    """How long a container that fails it may take to end; `None` is the pod's grace."""

    @classmethod
    def of(cls, where: str, declared: Mapping[str, Any] | None) -> "Probe | None":
        """Read a probe of the container at `where`; return `None` if there is none.

        Raises:
            WorkloadError: it neither gets nor connects.
        """
        if declared is None:
            return None
        if (target := declared.get("httpGet") or declared.get("tcpSocket")) is None:
            raise WorkloadError(f"{where}: only httpGet and tcpSocket probes are followed locally")
        names = {
            "periodSeconds": "period_seconds",
            "timeoutSeconds": "timeout_seconds",
            "failureThreshold": "failure_threshold",
            "initialDelaySeconds": "initial_delay_seconds",
            "terminationGracePeriodSeconds": "grace_seconds",
        }
        timing = {ours: declared[key] for key, ours in names.items() if key in declared}
        return cls(path=target.get("path"), port=target["port"], **timing)


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a pod."""

    name: str
    image: str
    command: tuple[str, ...]
    """Instead of the image's entry point."""

    args: tuple[str, ...]
    """Instead of the image's command."""

    environment: Mapping[str, str]
    mounts: Mapping[str, str]
    """The ConfigMap whose files are to lie in each folder."""

    ports: tuple[int, ...]
    startup: Probe | None
    liveness: Probe | None
    readiness: Probe | None
    is_sidecar: bool
    """Started before and ended after the others."""

    shared: Mapping[str, str]
    """Where it sees volumes that others of its pod see too: path to name of the volume."""

    has_aws: bool
    """Whether it is given the credentials of its pod; the pod says which are not."""

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Every probe that is declared."""
        return tuple(p for p in (self.startup, self.liveness, self.readiness) if p is not None)

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

    @property
    def has_role_of_its_own(self) -> bool:
        """Whether another container serves it credentials."""
        return _CREDENTIALS_URI in self.environment

    def in_volumes(self, environment: Mapping[str, str], folder: Path) -> dict[str, str]:
        """Return `environment` with paths in shared volumes as they are here, below `folder`."""

        def moved(value: str) -> str:
            for path, volume in self.shared.items():
                if value.startswith(f"{path}/"):
                    return str(folder / volume / value.removeprefix(f"{path}/"))
            return value

        return {name: moved(value) for name, value in environment.items()}

    def arguments_at(self, ports: Mapping[int, int]) -> tuple[str, ...]:
        """Return `args` with each container port that is one, or ends one, as it is here."""
        own = "|".join(map(str, self.ports)) or "(?!)"
        place = re.compile(rf"(?:(?<=port=)|^)({own})$")
        return tuple(place.sub(lambda found: str(ports[int(found[1])]), arg) for arg in self.args)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A Deployment: its name and the containers of each of its pods."""

    name: str
    containers: tuple[Container, ...]
    """In the order in which they start."""

    grace_seconds: float
    """How long a pod may take to end."""

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> "Workload":
        """Read a Deployment as it was registered.

        Raises:
            WorkloadError: a container is configured by something that is not here.
        """
        name = deployment["metadata"]["name"]
        template = deployment["spec"]["template"]
        pod, annotations = template["spec"], template.get("metadata", {}).get("annotations", {})
        skipped = annotations.get(_WITHOUT_CREDENTIALS, "").split(",")
        sidecars = pod.get("initContainers", [])
        for declared in sidecars:
            if declared.get("restartPolicy") != "Always":
                raise WorkloadError(
                    f"deployment {name}, init container {declared['name']}: does not run locally;"
                    " only sidecars do (restartPolicy: Always)"
                )
        workload = cls(
            name=name,
            containers=tuple(
                _container(name, declared, pod, skipped, is_sidecar=is_sidecar)
                for is_sidecar, group in ((True, sidecars), (False, pod["containers"]))
                for declared in group
            ),
            grace_seconds=float(pod.get("terminationGracePeriodSeconds", 30)),
        )
        workload._check_probes()
        return workload

    @property
    def ports(self) -> frozenset[int]:
        """The ports of all containers; they share one network address."""
        return frozenset(port for container in self.containers for port in container.ports)

    @property
    def ending_order(self) -> tuple[tuple[Container, ...], ...]:
        """The containers that end together, in the order of Kubernetes: sidecars one by one, last.

        So a dispatcher drains while its model server still answers.
        """
        others = tuple(c for c in self.containers if not c.is_sidecar)
        return (others, *((c,) for c in reversed(self.containers) if c.is_sidecar))

    def _check_probes(self) -> None:
        for container in self.containers:
            for probe in container.probes:
                if probe.port not in self.ports:
                    raise WorkloadError(
                        f"deployment {self.name}, container {container.name}: no container declares"
                        f" the port {probe.port} of its probe {probe.path or 'by connecting'}"
                    )


def _config_maps(deployment: str, volumes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the ConfigMap behind each volume that is one; the others are empty folders."""
    for volume in volumes:
        if not volume.keys() & {"configMap", "emptyDir"}:
            raise WorkloadError(
                f"deployment {deployment}, volume {volume['name']}: only configMap and emptyDir are"
                " followed locally"
            )
    return {
        volume["name"]: volume["configMap"]["name"] for volume in volumes if "configMap" in volume
    }


def _container(
    deployment: str,
    declared: Mapping[str, Any],
    pod: Mapping[str, Any],
    skipped: Collection[str],
    *,
    is_sidecar: bool,
) -> Container:
    where = f"deployment {deployment}, container {declared['name']}"
    config_maps = _config_maps(deployment, pod.get("volumes", []))
    for key in ("envFrom", "lifecycle"):
        if declared.get(key):
            raise WorkloadError(f"{where}: {key} is not followed locally")
    environment: dict[str, str] = {}
    for variable in declared.get("env", []):
        if "value" not in variable:
            raise WorkloadError(f"{where}: {variable['name']} has no plain value")
        environment[variable["name"]] = _expanded(variable["value"], environment)
    return Container(
        name=declared["name"],
        image=declared["image"],
        command=tuple(declared.get("command", ())),
        args=tuple(declared.get("args", ())),
        environment=environment,
        mounts={
            mount["mountPath"]: config_maps[mount["name"]]
            for mount in declared.get("volumeMounts", [])
            if mount["name"] in config_maps
        },
        ports=tuple(port["containerPort"] for port in declared.get("ports", [])),
        startup=Probe.of(where, declared.get("startupProbe")),
        liveness=Probe.of(where, declared.get("livenessProbe")),
        readiness=Probe.of(where, declared.get("readinessProbe")),
        is_sidecar=is_sidecar,
        shared=_shared(declared, pod),
        has_aws=declared["name"] not in skipped,
    )


def _shared(declared: Mapping[str, Any], pod: Mapping[str, Any]) -> dict[str, str]:
    """Return where a container sees what others of its pod see too."""
    mounted = Counter(
        mount["name"]
        for container in (*pod.get("initContainers", ()), *pod["containers"])
        for mount in container.get("volumeMounts", ())
    )
    folders = {volume["name"] for volume in pod.get("volumes", ()) if "emptyDir" in volume}
    return {
        mount["mountPath"]: mount["name"]
        for mount in declared.get("volumeMounts", ())
        if mounted[mount["name"]] > 1 and mount["name"] in folders
    }


def _expanded(value: str, before: Mapping[str, str]) -> str:
    """Return `value` as Kubernetes gives it to a process, after the variables `before` it."""
    return _REFERENCE.sub(
        lambda found: "$" if found[1] is None else before.get(found[1], found[0]), value
    )
