"""Workers on GPUs get one, have time to load and to drain, and are not moved while they work."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..declaring import Settings, number, resource_policy
from ..reading import at, has_gap, may_be, may_be_within, parts
from ..resources import Resource
from .pods import POD_OWNERS, container_name, containers, pod_spec, pod_template

_GPU = "nvidia.com/gpu"
_GPU_LABEL = "penstock.dev/gpu"
_NO_GPU = "none"
"""What the nodes of workers without a GPU carry as label."""

_GPU_RESOURCES = ("nvidia.com/gpu", "nvidia.com/mig-")
_SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"


@resource_policy(
    "k8s-gpu-worker",
    *POD_OWNERS,
    schema={"minGraceSeconds": number(60, minimum=1)},
)
def gpu_workers_are_cared_for(owner: Resource, settings: Settings) -> Iterator[str]:
    """Workers on GPUs get one, have time to load and to drain, and stay while they work."""
    spec, grace = pod_spec(owner), settings["minGraceSeconds"]
    selector = at(spec, "nodeSelector")
    using = [container for container in containers(owner) if _uses_gpu(container)]
    wanted = at(selector, _GPU_LABEL)
    if not (using or (isinstance(wanted, str) and wanted != _NO_GPU)):
        return
    if not (using or _may_use_gpu(owner)):
        yield f"give the container that uses the GPU a limit of {_GPU}"
    if not at(selector, _GPU_LABEL):
        yield f"select nodes by {_GPU_LABEL} in node_selector"
    if not _tolerates_gpu(spec):
        yield f"tolerate the taint {_GPU}"
    if not may_be_within(at(spec, "terminationGracePeriodSeconds"), grace, float("inf")):
        yield f"set termination_grace_period_seconds to {grace:g} or more"
    if not may_be(at(pod_template(owner), "metadata", "annotations", _SAFE_TO_EVICT), ["false"]):
        yield f'annotate its pods with {_SAFE_TO_EVICT}: "false"'
    for container in using:
        if container.get("startupProbe") is None:
            yield f"{container_name(container)}: add a startup_probe as long as the model loads"


def _uses_gpu(container: Mapping[str, Any]) -> bool:
    limits = at(container.get("resources"), "limits")
    return isinstance(limits, dict) and any(key.startswith(_GPU_RESOURCES) for key in limits)


def _may_use_gpu(owner: Resource) -> bool:
    spec = pod_spec(owner)
    listed = [at(spec, "containers"), at(spec, "initContainers")]
    limits = [at(container, "resources", "limits") for container in containers(owner)]
    return any(map(has_gap, (limits, *listed)))


def _tolerates_gpu(spec: Any) -> bool:  # noqa: ANN401 - the pod's spec, or not known
    tolerations = at(spec, "tolerations")
    return has_gap(tolerations) or any(map(_tolerates, parts(tolerations)))


def _tolerates(toleration: Mapping[str, Any]) -> bool:
    key = toleration.get("key")
    # Without a key it is for every taint.
    return may_be(toleration.get("operator"), ["Exists"]) if key is None else may_be(key, [_GPU])
