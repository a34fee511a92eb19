"""Finding the pods and containers in whatever declares them."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..reading import UNKNOWN, at, parts
from ..resources import Resource

_TEMPLATES = {
    "kubernetes:core/v1:Pod": (),
    "kubernetes:apps/v1:Deployment": ("spec", "template"),
    "kubernetes:apps/v1:StatefulSet": ("spec", "template"),
    "kubernetes:apps/v1:DaemonSet": ("spec", "template"),
    "kubernetes:apps/v1:ReplicaSet": ("spec", "template"),
    "kubernetes:batch/v1:Job": ("spec", "template"),
    "kubernetes:batch/v1:CronJob": ("spec", "jobTemplate", "spec", "template"),
    "kubernetes:core/v1:PodTemplate": ("template",),
    "kubernetes:core/v1:ReplicationController": ("spec", "template"),
    "kubernetes:keda.sh/v1alpha1:ScaledJob": ("spec", "jobTargetRef", "template"),
}
POD_OWNERS = tuple(_TEMPLATES)


def pod_template(owner: Resource) -> Any:  # noqa: ANN401 - a mapping, or not known
    """Return the metadata and spec of the pods that `owner` makes."""
    return at(owner.props, *_TEMPLATES[owner.type])


def pod_spec(owner: Resource) -> Any:  # noqa: ANN401 - a mapping, or not known
    """Return the spec of the pods that `owner` makes."""
    return at(pod_template(owner), "spec")


def containers(owner: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield every known container: sidecars and those that only start a pod, too."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from (c for c in parts(at(pod_spec(owner), kind)) if isinstance(c, dict))


def container_name(container: Mapping[str, Any]) -> str:
    """Return a container's name for a message."""
    name = container.get("name")
    return "container" if name is None or name is UNKNOWN else f"container {name}"
