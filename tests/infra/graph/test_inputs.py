"""Every input of every resource has the shape that whoever takes it wants."""

from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from tests.infra.conformance import faults
from tests.infra.custom_resources import check_custom_resource, check_with_keda
from tests.infra.graph.references.kubernetes import Manifest, manifests
from tests.infra.manifests import check_manifest
from tests.infra.recording import Declared

VERSIONS = ("1.33", "1.35")
"""The oldest Kubernetes that a stack may have, and the one that it has by default."""

CUSTOM = {
    "keda.sh/v1alpha1": {"ClusterTriggerAuthentication", "ScaledObject"},
    "karpenter.k8s.aws/v1": {"EC2NodeClass"},
    "karpenter.sh/v1": {"NodePool"},
}
"""Kinds of operators, of which neither Kubernetes nor Pulumi has a schema."""


def _is_custom(manifest: Manifest) -> bool:
    return manifest.get("kind") in CUSTOM.get(manifest.get("apiVersion", ""), ())


def test_every_input_has_the_type_of_its_sdk_at_any_depth(graph: Declared) -> None:
    checked = [
        resource
        for resource in graph
        if not resource.is_component
        and not resource.type.startswith("pulumi:providers:")
        and not _is_custom(resource.inputs)
    ]

    assert len(checked) > 400
    assert [fault for resource in checked for fault in faults(resource)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_of_kubernetes_is_valid(graph: Declared, version: str) -> None:
    for manifest in manifests(graph):
        if not _is_custom(manifest):
            check_manifest(manifest, version)


def test_every_object_of_an_operator_is_as_our_own_schema_says(graph: Declared) -> None:
    custom = [manifest for manifest in manifests(graph) if _is_custom(manifest)]

    assert {manifest["kind"] for manifest in custom} >= CUSTOM["keda.sh/v1alpha1"]
    for manifest in custom:
        check_custom_resource(manifest)


def test_every_object_of_keda_is_as_its_definitions_say(graph: Declared) -> None:
    for manifest in manifests(graph):
        if manifest["apiVersion"] == "keda.sh/v1alpha1":
            check_with_keda(manifest)


def _changed(manifest: Manifest, path: str, value: Any) -> dict[str, Any]:
    """Return a manifest with another value at a path, such as `spec.triggers.0.name`."""
    changed = deepcopy(dict(manifest))
    *above, last = path.split(".")
    place: Any = changed
    for part in above:
        place = place[int(part) if part.isdigit() else part]
    place[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("apiVersion", "keda.sh/v1"),
        ("metadata.name", "Upper"),
        ("spec.idleReplicaCount", 0),
        ("spec.fallback.replicas", 0),
        ("spec.advanced.scalingModifiers.target", "0.7"),
        ("spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance", 0.1),
        ("spec.triggers.0.metadata.queueURL", "http://localhost/q"),
        ("spec.triggers.0.metadata.scaleOnInFlight", "false"),
        ("spec.triggers.1.metadata.queueLength", 1),
    ],
)
def test_a_scaled_object_that_is_otherwise_is_refused(
    graph: Declared, path: str, value: Any
) -> None:
    (scaled, *_) = (m for m in manifests(graph) if m["kind"] == "ScaledObject")

    with pytest.raises(jsonschema.ValidationError):
        check_custom_resource(_changed(scaled, path, value))
