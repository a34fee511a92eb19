"""The container of the model server, as its preset has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from infra.components.compute.containers import TMP, Probe, hardened, probe, variables
from infra.settings.instance import Instance
from infra.settings.model_settings import DeploymentSettings
from infra.settings.models.model_server import ModelServerSettings

DISPATCHER_PORT = 9_090
MODEL_SERVER = "model-server"
"""The name of its container."""

_PORT = 8_080  # of the Truss server, and of every container that SageMaker runs
_USER = 60_000  # Truss images make this user
_LOAD_SECONDS = 1_800
_DISPATCHER_START_SECONDS = 5  # a slower pull of its image costs the loading model one restart
_GPU_RESOURCE = "nvidia.com/gpu"


@dataclass(frozen=True)
class ModelImage:
    """The image of a model server, and what it is to be started with."""

    ref: pulumi.Input[str]
    """By digest."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """What its Truss directory declares for its environment."""


def model_server_port(settings: ModelServerSettings) -> int:
    """Return where a model server listens."""
    return settings.port or _PORT


def model_server_variables(settings: DeploymentSettings) -> dict[str, str]:
    """Return what the dispatcher is told of the model server, by fields of its environment."""
    batching = settings.batching
    return {
        "model_server_preset": settings.speaks,
        "model_server_predict_path": settings.predict_path or "",
        "model_server_health_path": settings.health_path or "",
        "max_input_bytes": str(settings.max_input_bytes),
        "max_result_bytes": str(settings.max_result_bytes),
        "max_batch_size": str(batching.max_batch_size if batching else 1),
        "max_batch_wait_ms": str(batching.max_wait_ms if batching else 0),
        # The default says the same; whoever maps ports elsewhere must see it declared.
        "model_server_url": f"http://127.0.0.1:{model_server_port(settings)}",
    }


def model_server(
    settings: ModelServerSettings,
    image: ModelImage,
    instance: Instance,
    *,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict],
    restart_after_stop: bool,
) -> k8s.core.v1.ContainerArgsDict:
    """Return a sidecar that has half an hour to load its model."""
    port, loaded = model_server_port(settings), _health_path(settings)
    container: k8s.core.v1.ContainerArgsDict = {
        "name": MODEL_SERVER,
        "restart_policy": "Always",
        "image": image.ref,
        "env": variables(_environment(settings, image)),
        "ports": [{"name": "http", "container_port": port}],
        "resources": _resources(instance),
        "readiness_probe": probe(loaded, port, period_seconds=5, failures=2),
        "security_context": hardened(_USER, read_only=False),
        "volume_mounts": [{"name": "model-tmp", "mount_path": TMP}, *mounts],
    }
    if settings.args:
        container["args"] = list(settings.args)
    if restart_after_stop:
        # Without a startup probe: Kubernetes would start the dispatcher only when the model is
        # loaded, and by the time that it answers, its silence had ended the model server.
        container["liveness_probe"] = _alive_by_dispatcher()
        return container
    container["startup_probe"] = probe(loaded, port, period_seconds=5, failures=_LOAD_SECONDS // 5)
    if settings.speaks == "truss":
        # Other servers may answer nothing while they predict, and would be ended for it.
        container["liveness_probe"] = probe("/", port, period_seconds=15, failures=8)
    return container


def _environment(settings: ModelServerSettings, image: ModelImage) -> dict[str, str]:
    # Its user has no home of its own in every image.
    given = {"HOME": TMP, **image.variables, **settings.environment_variables}
    # Kubernetes would read `$(NAME)` as another variable, and `$$` as one dollar.
    return {name: value.replace("$", "$$") for name, value in given.items()}


def _health_path(settings: ModelServerSettings) -> str | None:
    match settings.speaks:
        case "truss":
            return "/v1/models/model"
        case "sagemaker":
            return "/ping"
        case "http":
            return settings.health_path


def _alive_by_dispatcher() -> Probe:
    return {
        **probe("/model-server/healthz", DISPATCHER_PORT, period_seconds=1, failures=2),
        "initial_delay_seconds": _DISPATCHER_START_SECONDS,
        # It works on a request that nobody wants; there is nothing to wait for.
        "termination_grace_period_seconds": 1,
    }


def _resources(instance: Instance) -> k8s.core.v1.ResourceRequirementsArgsDict:
    limits = {"memory": instance.memory_request}
    if instance.gpu:
        limits[_GPU_RESOURCE] = str(instance.gpu_count)
    return {"requests": {"cpu": instance.cpu_request, **limits}, "limits": limits}
