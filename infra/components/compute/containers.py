"""What both containers of a worker have in common."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

TMP = "/tmp"  # noqa: S108 - inside the pod

DISPATCHER_USER = 10_001
"""Made in `runtime_image/Dockerfile`."""

EnvVar = k8s.core.v1.EnvVarArgsDict
Probe = k8s.core.v1.ProbeArgsDict


def variables(values: Mapping[str, pulumi.Input[str]]) -> list[EnvVar]:
    """Return environment variables as Kubernetes wants them."""
    return [{"name": name, "value": value} for name, value in values.items()]


def probe(path: str | None, port: int, *, period_seconds: int, failures: int) -> Probe:
    """Return a probe that gets `path`; without one, that only connects."""
    target: Probe = (
        {"http_get": {"path": path, "port": port}} if path else {"tcp_socket": {"port": port}}
    )
    return {
        **target,
        "period_seconds": period_seconds,
        "timeout_seconds": 5,
        "failure_threshold": failures,
    }


def hardened(user: int, *, read_only: bool) -> k8s.core.v1.SecurityContextArgsDict:
    """Return the security context of a container that can do as little as possible."""
    return {
        "run_as_user": user,
        "run_as_group": user,
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": read_only,
        "capabilities": {"drop": ["ALL"]},
    }
