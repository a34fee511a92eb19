"""Pods run what was built, and can break nothing around them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..declaring import Settings, resource_policy, texts
from ..reading import UNKNOWN, at, is_on, matches, may_be, may_hold, parts
from ..resources import Resource
from .pods import POD_OWNERS, container_name, containers, pod_spec

_BY_DIGEST = re.compile(r"^(?P<repository>[^@]+)@sha256:[0-9a-f]{64}$")
_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")


@resource_policy(
    "k8s-image-digest",
    *POD_OWNERS,
    schema={"registries": texts("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")},
)
def images_are_named_by_digest(owner: Resource, settings: Settings) -> Iterator[str]:
    """Containers run exactly the image that was checked, from registries that are known."""
    for container in containers(owner):
        image, where = container.get("image"), container_name(container)
        if image is UNKNOWN:
            continue
        if not (found := _BY_DIGEST.match(str(image))):
            yield f"{where}: name the image by @sha256:…, not {image}"
        registry = str(image).split("/", 1)[0] if "/" in str(image) else "docker.io"
        if found and not matches(registry, settings["registries"]):
            yield f"{where}: take the image from a known registry, or allow {registry} by config"


@resource_policy(
    "k8s-pod-hardening",
    *POD_OWNERS,
    schema={"writableRoot": texts()},
)
def pods_are_hardened(owner: Resource, settings: Settings) -> Iterator[str]:
    """Containers run as nobody, with nothing, and cannot change what they run."""
    pod = at(pod_spec(owner), "securityContext")
    for container in containers(owner):
        where = container_name(container)
        if faults := list(_softness(container, pod, settings)):
            yield f"{where}: set {', '.join(faults)} in its security_context"


def _softness(
    container: Mapping[str, Any],
    pod: Any,  # noqa: ANN401 - the pod's own security context, or not known
    settings: Settings,
) -> Iterator[str]:
    own = container.get("securityContext")
    if not is_on(_inherited(own, pod, "runAsNonRoot")):
        yield "run_as_non_root"
    if not may_be(at(own, "allowPrivilegeEscalation"), [False]):
        yield "allow_privilege_escalation=False"
    if not may_hold(at(own, "capabilities", "drop"), "ALL"):
        yield 'capabilities={drop: ["ALL"]}'
    profile = at(_inherited(own, pod, "seccompProfile"), "type")
    if not may_be(profile, ("RuntimeDefault", "Localhost")):
        yield "seccomp_profile={type: RuntimeDefault}"
    name = container.get("name")
    may_write = name is UNKNOWN or matches(str(name), settings["writableRoot"])
    if not (is_on(at(own, "readOnlyRootFilesystem")) or may_write):
        yield "read_only_root_filesystem (or allow it by config: k8s-pod-hardening.writableRoot)"


def _inherited(own: Any, pod: Any, key: str) -> Any:  # noqa: ANN401 - contexts and a value of them
    value = at(own, key)
    return at(pod, key) if value is None else value


@resource_policy(
    "k8s-no-hostpath-privileged",
    *POD_OWNERS,
    schema={"allowedPaths": texts()},
)
def pods_stay_off_the_host(owner: Resource, settings: Settings) -> Iterator[str]:
    """Pods stay away from the machine they run on."""
    spec = pod_spec(owner)
    for volume in parts(at(spec, "volumes")):
        path = at(volume, "hostPath", "path")
        if isinstance(path, str) and not matches(path, settings["allowedPaths"]):
            yield f"take the hostPath {path} away, or allow it by config"
    for key in _HOST_NAMESPACES:
        if at(spec, key) is True:
            yield f"take {key} away"
    for container in containers(owner):
        if at(container.get("securityContext"), "privileged") is True:
            yield f"{container_name(container)}: take privileged away"
