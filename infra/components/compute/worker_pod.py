"""The pod of a worker: the dispatcher, with the model server as its sidecar."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.components.fleet.node_labels import CPU_TAINT, GPU_LABEL, GPU_TAINT, NO_GPU
from infra.settings.instance import DISPATCHER_MIB, DISPATCHER_MILLICORES, Instance

DISPATCHER_PORT = 9_090
MODEL_SERVER_PORT = 8_080
_DISPATCHER_USER = 10_001  # `runtime_image/Dockerfile`
_MODEL_SERVER_USER = 60_000  # Truss images make this user
_SHUTDOWN_SECONDS = 30  # between the end of the drain and SIGKILL
_MODEL_LOAD_SECONDS = 1_800
_DISPATCHER_START_SECONDS = 5  # a slower pull of its image costs the loading model one restart
_LOADED = "/v1/models/model"
_TMP = "/tmp"  # noqa: S108 - inside the pod
_GPU_RESOURCE = "nvidia.com/gpu"

EnvVar = k8s.core.v1.EnvVarArgsDict
Probe = k8s.core.v1.ProbeArgsDict


@dataclass(frozen=True, kw_only=True)
class WorkerPodArgs:
    """What a pod needs to know."""

    labels: Mapping[str, str]
    service_account: pulumi.Input[str]
    instance: Instance
    dispatcher_image: pulumi.Input[str]
    dispatcher_environment: Mapping[str, pulumi.Input[str]]
    model_image: pulumi.Input[str]
    model_environment: Mapping[str, str]
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
        "init_containers": [_model_server(args)],
        "containers": [_dispatcher(args)],
        "volumes": [
            {"name": "dispatcher-tmp", "empty_dir": {"size_limit": "2Gi"}},
            {"name": "model-tmp", "empty_dir": {}},
        ],
    }
    if args.instance.gpu or args.has_worker_nodes:
        taint = GPU_TAINT if args.instance.gpu else CPU_TAINT
        spec["node_selector"] = {GPU_LABEL: args.instance.gpu or NO_GPU}
        spec["tolerations"] = [{"key": taint, "operator": "Exists", "effect": "NoSchedule"}]
    return {
        "metadata": {
            "labels": args.labels,
            "annotations": {
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                "karpenter.sh/do-not-disrupt": "true",
            },
        },
        "spec": spec,
    }


def _dispatcher(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    return {
        "name": "dispatcher",
        "image": args.dispatcher_image,
        "command": ["python", "-m", "runtime_image.dispatcher"],
        "env": _variables(args.dispatcher_environment),
        "ports": [{"name": "metrics", "container_port": DISPATCHER_PORT}],
        "resources": {
            "requests": {"cpu": f"{DISPATCHER_MILLICORES}m", "memory": f"{DISPATCHER_MIB}Mi"},
            "limits": {"memory": "1Gi"},
        },
        "liveness_probe": _probe("/healthz", DISPATCHER_PORT, period_seconds=10, failures=6),
        "readiness_probe": _probe("/readyz", DISPATCHER_PORT, period_seconds=5, failures=1),
        "security_context": _hardened(_DISPATCHER_USER, read_only=True),
        "volume_mounts": [{"name": "dispatcher-tmp", "mount_path": _TMP}],
    }


def _model_server(args: WorkerPodArgs) -> k8s.core.v1.ContainerArgsDict:
    container: k8s.core.v1.ContainerArgsDict = {
        "name": "model-server",
        "restart_policy": "Always",
        "image": args.model_image,
        # Its user has no home of its own in every image.
        "env": _variables({"HOME": _TMP, **args.model_environment}),
        "ports": [{"name": "http", "container_port": MODEL_SERVER_PORT}],
        "resources": _resources(args.instance),
        "readiness_probe": _probe(_LOADED, MODEL_SERVER_PORT, period_seconds=5, failures=2),
        "security_context": _hardened(_MODEL_SERVER_USER, read_only=False),
        "volume_mounts": [{"name": "model-tmp", "mount_path": _TMP}],
    }
    if args.restart_after_stop:
        # Without a startup probe: Kubernetes would start the dispatcher only when the model is
        # loaded, and by the time that it answers, its silence had ended the model server.
        container["liveness_probe"] = _alive_by_dispatcher()
    else:
        container["startup_probe"] = _probe(
            _LOADED, MODEL_SERVER_PORT, period_seconds=5, failures=_MODEL_LOAD_SECONDS // 5
        )
        container["liveness_probe"] = _probe("/", MODEL_SERVER_PORT, period_seconds=15, failures=8)
    return container


def _alive_by_dispatcher() -> Probe:
    return {
        **_probe("/model-server/healthz", DISPATCHER_PORT, period_seconds=1, failures=2),
        "initial_delay_seconds": _DISPATCHER_START_SECONDS,
        # It works on a request that nobody wants; there is nothing to wait for.
        "termination_grace_period_seconds": 1,
    }


def _resources(instance: Instance) -> k8s.core.v1.ResourceRequirementsArgsDict:
    limits = {"memory": instance.memory_request}
    if instance.gpu:
        limits[_GPU_RESOURCE] = str(instance.gpu_count)
    return {"requests": {"cpu": instance.cpu_request, **limits}, "limits": limits}


def _variables(values: Mapping[str, pulumi.Input[str]]) -> list[EnvVar]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _probe(path: str, port: int, *, period_seconds: int, failures: int) -> Probe:
    return {
        "http_get": {"path": path, "port": port},
        "period_seconds": period_seconds,
        "timeout_seconds": 5,
        "failure_threshold": failures,
    }


def _hardened(user: int, *, read_only: bool) -> k8s.core.v1.SecurityContextArgsDict:
    return {
        "run_as_user": user,
        "run_as_group": user,
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": read_only,
        "capabilities": {"drop": ["ALL"]},
    }
