"""What a real API server makes of the stacks' objects, and of two who write to one.

Collected by `make engine-kubernetes` alone.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.engines.kubernetes.api import ApiError, Manifest
from tests.engines.kubernetes.control_plane import ControlPlane
from tests.engines.kubernetes.stacks import NAMESPACE, apply_all, objects, planned
from tests.engines.kubernetes.workers import LAST_FOR, pods_of, scale
from tests.engines.processes import eventually
from tests.infra.conftest import settings_of
from tests.infra.recording import Declared


def test_every_object_is_admitted_with_fields_that_the_server_knows(
    applied: list[dict[str, Any]], declared: Declared
) -> None:
    assert len(applied) == len(objects(declared))


def test_applying_a_stack_again_rolls_nothing_out(
    cluster: ControlPlane, applied: list[dict[str, Any]], declared: Declared
) -> None:
    before = {_key(each): each["metadata"].get("generation") for each in applied}

    again = {
        _key(each): each["metadata"].get("generation") for each in apply_all(cluster.api, declared)
    }

    # A network policy with an empty list counts a generation more, and is the same.
    assert {key: again[key] for key in again if key[0] != "NetworkPolicy"} == {
        key: before[key] for key in before if key[0] != "NetworkPolicy"
    }


def _key(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def test_nothing_is_kept_otherwise_than_it_was_declared(
    applied: list[dict[str, Any]], declared: Declared
) -> None:
    different = {
        f"{wanted['kind']} {wanted['metadata']['name']}: {path}"
        for wanted, kept in zip(objects(declared), applied, strict=True)
        for path in _differences(wanted, kept)
    }

    assert different == set()


def _differences(wanted: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Yield where what the server keeps lacks or changes what was declared."""
    if isinstance(wanted, Mapping):
        for key, part in wanted.items():
            if part is None or part in ({}, [], ""):
                continue
            if not isinstance(kept, Mapping) or key not in kept:
                yield f"{path}.{key} is gone"
            else:
                yield from _differences(part, kept[key], f"{path}.{key}")
    elif isinstance(wanted, list):
        if not isinstance(kept, list) or len(kept) != len(wanted):
            yield f"{path} has another length"
        else:
            for at, (one, other) in enumerate(zip(wanted, kept, strict=True)):
                yield from _differences(one, other, f"{path}[{at}]")
    elif _quantity(wanted) != _quantity(kept):
        yield f"{path} is {kept!r}, not {wanted!r}"


def _quantity(value: Any) -> Any:
    """Return a quantity of memory in one unit, as the server may keep it in another."""
    if isinstance(value, str) and value.endswith("Gi") and value[:-2].isdigit():
        return f"{int(value[:-2]) * 1_024}Mi"
    return str(value)


@pytest.mark.usefixtures("applied")
def test_every_workers_pods_are_admitted_under_the_restricted_standard(
    cluster: ControlPlane, declared: Declared
) -> None:
    namespace = cluster.api.get(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    )
    workers = [each for each in objects(declared) if each["kind"] == "Deployment"]

    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for worker in workers:
        scale(cluster.api, worker["metadata"]["name"], 1)
    for worker in workers:
        name = worker["metadata"]["name"]
        eventually(lambda name=name: pods_of(cluster.api, name), LAST_FOR, f"a pod of {name}")  # type: ignore[misc]  # mypy cannot infer the default
        scale(cluster.api, name, 0)


@pytest.mark.usefixtures("applied")
def test_a_pod_that_is_not_restricted_is_refused_in_the_workers_namespace(
    cluster: ControlPlane,
) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "loose", "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "loose", "image": "busybox"}]},
    }

    with pytest.raises(ApiError, match="violates PodSecurity") as refusal:
        cluster.api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", body=pod)
    assert refusal.value.status == 403


@pytest.mark.usefixtures("applied")
def test_the_autoscaler_that_keda_would_make_is_admitted_as_it_is_set(
    cluster: ControlPlane, declared: Declared
) -> None:
    scaled = [each for each in objects(declared) if each["kind"] == "ScaledObject"]
    for each in scaled:
        behavior = each["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        name = each["metadata"]["name"]
        autoscaler = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": f"as-{name}", "namespace": NAMESPACE},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": max(1, each["spec"]["minReplicaCount"]),
                "maxReplicas": each["spec"]["maxReplicaCount"],
                "behavior": behavior,
                "metrics": [
                    {
                        "type": "External",
                        "external": {
                            "metric": {"name": "composite-metric"},
                            "target": {"type": "AverageValue", "averageValue": "1"},
                        },
                    }
                ],
            },
        }
        kept = cluster.api.apply(autoscaler)
        cluster.api.delete(autoscaler)

        assert list(_differences(behavior, kept["spec"]["behavior"])) == []
        assert str(kept["spec"]["behavior"]["scaleUp"]["tolerance"]) == "0"


@pytest.fixture
def worker(
    cluster: ControlPlane, applied: list[dict[str, Any]], stack_name: str, declared: Declared
) -> dict[str, Any]:
    """One worker as it is declared, just made: nobody has scaled it yet."""
    name = planned(settings_of(stack_name))[0].name
    (wanted,) = [
        deepcopy(each)
        for each in objects(declared)
        if each["kind"] == "Deployment" and each["metadata"]["name"] == name
    ]
    cluster.api.delete(wanted)
    made = cluster.api.apply(wanted)
    assert len(made["metadata"]["managedFields"]) == 1
    return wanted


def test_replicas_that_an_autoscaler_set_are_a_conflict_for_whoever_applies_them(
    cluster: ControlPlane, worker: dict[str, Any]
) -> None:
    scale(cluster.api, worker["metadata"]["name"], 2)

    with pytest.raises(ApiError) as conflict:
        cluster.api.apply({**worker, "spec": {**worker["spec"], "replicas": 1}})

    causes = conflict.value.body["details"]["causes"]
    scale(cluster.api, worker["metadata"]["name"], 0)
    assert conflict.value.status == 409
    assert {cause["field"] for cause in causes} == {".spec.replicas"}


def test_replicas_have_no_owner_any_more_after_an_autoscaler_scaled_to_zero_once(
    cluster: ControlPlane, worker: dict[str, Any]
) -> None:
    for replicas in (2, 0, 2):
        scale(cluster.api, worker["metadata"]["name"], replicas)

    # No conflict: what was declared overwrites what the autoscaler wants.
    kept = cluster.api.apply({**worker, "spec": {**worker["spec"], "replicas": 1}})

    scale(cluster.api, worker["metadata"]["name"], 0)
    assert kept["spec"]["replicas"] == 1


@pytest.mark.parametrize("before", [(), (2, 0)], ids=["never-at-zero", "once-at-zero"])
def test_an_object_that_leaves_replicas_out_leaves_an_autoscalers_number(
    cluster: ControlPlane, worker: dict[str, Any], before: tuple[int, ...]
) -> None:
    for replicas in (*before, 2):
        scale(cluster.api, worker["metadata"]["name"], replicas)
    worker["spec"].pop("replicas", None)

    kept = cluster.api.apply(worker)

    scale(cluster.api, worker["metadata"]["name"], 0)
    assert kept["spec"]["replicas"] == 2
