"""The pod of a worker: the dispatcher, with the model server as its sidecar."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as k8s

from infra.components.compute.containers import DISPATCHER_USER, TMP, hardened, probe, variables
from infra.components.compute.model_credentials import (
    CREDENTIALS_MIB,
    CREDENTIALS_MILLICORES,
    VOLUME,
    model_credentials,
    model_variables,
    token_mount,
)
from infra.components.compute.model_environment import environment_mount, environment_volume
from infra.components.compute.model_server import (
    DISPATCHER_PORT,
    MODEL_SERVER,
    ModelImage,
    model_server,
)
from infra.components.fleet.node_labels import CPU_TAINT, GPU_LABEL, GPU_TAINT, NO_GPU
from infra.settings.instance import DISPATCHER_MIB, DISPATCHER_MILLICORES, Instance
from infra.settings.models.model_server import ModelServerSettings

_SHUTDOWN_SECONDS = 30  # between the end of the drain and SIGKILL
_UNDISTURBED = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
}
_WITHOUT_AWS = {"eks.amazonaws.com/skip-containers": MODEL_SERVER}
"""The model is its author's code: EKS Pod Identity gives it no credentials of the dispatcher's."""

_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": str(DISPATCHER_PORT)}


@dataclass(frozen=True, kw_only=True)
class WorkerPodArgs:
    """What a pod needs to know."""

    labels: Mapping[str, str]
    service_account: pulumi.Input[str]
    instance: Instance
    dispatcher_image: pulumi.Input[str]
    platform_variables: Mapping[str, str]
    dispatcher_environment: Mapping[str, pulumi.Input[str]]
    model_image: ModelImage
    model_server: ModelServerSettings
    environment_file: pulumi.Input[str] | None
    """What tells the model server its environment, if it asks for that."""

    deployment_id: str
    region: str
    model_role: str | None
    """The AWS role of the model's own."""

    spool_gib: int
    """How much disk the dispatcher may fill."""

    drain_seconds: int
    """How long running requests may go on after SIGTERM."""

    restart_after_stop: bool
    """Whether the dispatcher says when the model server must be restarted."""

    has_worker_nodes: bool
    """Whether there are nodes for workers without a GPU alone."""


def worker_pod(args: WorkerPodArgs) -> k8s.core.v1.PodTemplateSpecArgsDict:
    """Return the pod: hardened, not evicted while it works, given time to drain."""
    spec: k8s.core.v1.PodSpecArgsDict = {
        "service_account_name": args.service_account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": args.drain_seconds + _SHUTDOWN_SECONDS,
        "security_context": {
            "run_as_non_root": True,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        # A sidecar: it is ended when the dispatcher is gone, so that a drain can finish on it.
        "init_containers": [*_credentials(args), _server(args)],
        "containers": [_dispatcher(args)],
        "volumes": _volumes(args),
    }
    if args.instance.gpu or args.has_worker_nodes:
        taint = GPU_TAINT if args.instance.gpu else CPU_TAINT
        spec["node_selector"] = {GPU_LABEL: args.instance.gpu or NO_GPU}
        spec["tolerations"] = [{"key": taint, "operator": "Exists", "effect": "NoSchedule"}]
    annotations = {**_UNDISTURBED, **_SCRAPED, **_WITHOUT_AWS}
    return {"metadata": {"labels": args.labels, "annotations": annotations}, "spec": spec}


def _volumes(args: WorkerPodArgs) -> list[k8s.core.v1.VolumeArgsDict]:
    volumes: list[k8s.core.v1.VolumeArgsDict] = [
        {"name": "dispatcher-tmp", "empty_dir": {"size_limit": f"{args.spool_gib}Gi"}},
        {"name": "model-tmp", "empty_dir": {}},
    ]
    if args.environment_file is not None:
        volumes.append(environment_volume(args.environment_file))
    if args.model_role:
        volumes.append(VOLUME)
    return volumes


def _credentials(args: WorkerPodArgs) -> list[k8s.core.v1.ContainerArgsDict]:
    if args.model_role is None:
        return []
    return [
        model_credentials(
            args.model_role, args.deployment_id, args.dispatcher_image, args.platform_variables
        )
    ]


def _server(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    return model_server(
        args.model_server,
        _model_image(args),
        args.instance,
        mounts=_mounts(args),
        restart_after_stop=args.restart_after_stop,
    )


def _model_image(args: WorkerPodArgs) -> ModelImage:
    image = args.model_image
    if args.model_role is None:
        return image
    return replace(image, variables={**model_variables(args.region), **image.variables})


def _mounts(args: WorkerPodArgs) -> list[k8s.core.v1.VolumeMountArgsDict]:
    """Return what a model server sees of the pod, beside its own files."""
    mounts = [] if args.environment_file is None else [environment_mount()]
    return [*mounts, token_mount(read_only=True)] if args.model_role else mounts


def _dispatcher(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    return {
        "name": "dispatcher",
        "image": args.dispatcher_image,
        "command": ["python", "-m", "runtime_image.dispatcher"],
        "env": variables({**args.platform_variables, **args.dispatcher_environment}),
        "ports": [{"name": "metrics", "container_port": DISPATCHER_PORT}],
        "resources": {
            "requests": _dispatcher_requests(args),
            "limits": {"memory": "1Gi"},
        },
        "liveness_probe": probe("/healthz", DISPATCHER_PORT, period_seconds=10, failures=6),
        "readiness_probe": probe("/readyz", DISPATCHER_PORT, period_seconds=5, failures=1),
        "security_context": hardened(DISPATCHER_USER, read_only=True),
        "volume_mounts": [{"name": "dispatcher-tmp", "mount_path": TMP}],
    }


def _dispatcher_requests(args: WorkerPodArgs) -> Mapping[str, str]:
    """Return what the dispatcher asks for: with the other sidecar, the pod asks for no more."""
    cpu, memory = DISPATCHER_MILLICORES, DISPATCHER_MIB
    if args.model_role:
        cpu, memory = cpu - CREDENTIALS_MILLICORES, memory - CREDENTIALS_MIB
    return {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}
