"""The workers that a stack declares, as the facts scale and look at them."""

from typing import Any

from tests.engines.kubernetes.api import Api, Manifest
from tests.engines.kubernetes.stacks import NAMESPACE

_LABEL = "penstock.dev/deployment"
LAST_FOR = 30.0
"""Seconds that anything may take to happen."""


def deployment(name: str) -> Manifest:
    """Return a reference to the workers of a deployment."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


def scale(api: Api, name: str, replicas: int) -> None:
    """Set the number of workers as an autoscaler does."""
    api.merge(deployment(name), {"spec": {"replicas": replicas}}, part="/scale")


def pods_of(api: Api, name: str) -> list[dict[str, Any]]:
    """Return the workers that there are."""
    return api.list("v1", "Pod", NAMESPACE, f"{_LABEL}={name}")
