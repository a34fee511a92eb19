"""Where a real scheduler puts the stacks' workers, and how they go.

Collected by `make engine-kubernetes` alone.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from infra.components.fleet.node_labels import labels, taints
from tests.engines.kubernetes.api import Api, ApiError, Manifest
from tests.engines.kubernetes.control_plane import ControlPlane
from tests.engines.kubernetes.stacks import NAMESPACE, Planned, daemons, node, planned
from tests.engines.kubernetes.workers import LAST_FOR, pods_of, scale
from tests.engines.processes import becomes, eventually
from tests.infra.conftest import settings_of


@pytest.fixture
def no_nodes(cluster: ControlPlane) -> Iterator[Api]:
    """The cluster's API; nodes that a test makes are removed after it."""
    yield cluster.api
    for each in cluster.api.list("v1", "Node"):
        cluster.api.delete(each)
    for each in cluster.api.list("v1", "Pod", "kube-system"):
        cluster.api.delete(each, gracePeriodSeconds="0")


def _add_node(api: Api, name: str, one: Planned) -> None:
    made = node(name, one.host, labels(one.host), taints(one.host))
    # With its status at once, or kwok gives it one in between, with room for everything.
    api.call("POST", "/api/v1/nodes", body=made)
    api.call("POST", "/api/v1/namespaces/kube-system/pods", body=daemons(name))


@pytest.mark.usefixtures("applied")
def test_as_many_pods_as_planned_fit_on_the_machine_of_every_deployment_and_no_more(
    no_nodes: Api, stack_name: str
) -> None:
    for at, one in enumerate(planned(settings_of(stack_name))):
        machine = f"machine-{at}"
        _add_node(no_nodes, machine, one)
        wanted = one.host.pods_of(one.instance)
        scale(no_nodes, one.name, wanted + 1)

        becomes(
            lambda one=one: _placed(no_nodes, one.name),  # type: ignore[misc]  # mypy cannot infer the default
            ([machine] * wanted, ["Insufficient"]),
            LAST_FOR,
            f"{wanted} pods of {one.name} on {one.host.type}, and one too many",
        )
        scale(no_nodes, one.name, 0)
        eventually(
            lambda one=one: not pods_of(no_nodes, one.name),  # type: ignore[misc]  # mypy cannot infer the default
            LAST_FOR,
            f"the pods of {one.name} to be gone",
        )
        for each in no_nodes.list("v1", "Node"):
            no_nodes.delete(each)


def _placed(api: Api, name: str) -> tuple[list[str], list[str]]:
    """Return where the pods are, and in a word why the others wait."""
    pods = pods_of(api, name)
    placed = [pod["spec"]["nodeName"] for pod in pods if "nodeName" in pod["spec"]]
    waiting = [
        "Insufficient" if "Insufficient" in condition["message"] else condition["message"]
        for pod in pods
        if "nodeName" not in pod["spec"]
        for condition in pod["status"].get("conditions", ())
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    return placed, waiting


def _spare_budget(api: Api, name: str) -> int | None:
    budget = api.get(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": NAMESPACE},
        }
    )
    status = budget.get("status", {})
    if status.get("expectedPods", 0) == 0:
        return None
    allowed: int = status["disruptionsAllowed"]
    return allowed


def _ready(api: Api, name: str, count: int) -> list[dict[str, Any]] | None:
    def is_ready(pod: dict[str, Any]) -> bool:
        conditions = pod["status"].get("conditions", ())
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    ready = [pod for pod in pods_of(api, name) if is_ready(pod)]
    return ready if len(ready) == count else None


def _evict(api: Api, pod: Manifest) -> None:
    metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{metadata['name']}/eviction"
    api.call("POST", path, body=eviction)


@pytest.fixture
def running(
    applied: list[dict[str, Any]], no_nodes: Api, stack_name: str
) -> Iterator[tuple[Planned, list[dict[str, Any]]]]:
    """Four ready pods of one deployment, each on a machine of its own."""
    one = planned(settings_of(stack_name))[0]
    for at in range(4):
        _add_node(no_nodes, f"machine-{at}", one)
    scale(no_nodes, one.name, 4)
    pods = eventually(lambda: _ready(no_nodes, one.name, 4), LAST_FOR, "four ready pods")
    eventually(lambda: _spare_budget(no_nodes, one.name), LAST_FOR, "the budget to know them")
    yield one, pods
    scale(no_nodes, one.name, 0)

    def gone() -> bool:
        left = pods_of(no_nodes, one.name)
        for pod in left:
            no_nodes.delete(pod, gracePeriodSeconds="0")
        return not left

    eventually(gone, LAST_FOR, "the pods to be gone")


def test_a_drain_may_take_half_of_the_workers_at_a_time(
    running: tuple[Planned, list[dict[str, Any]]], no_nodes: Api
) -> None:
    _, pods = running
    for each in no_nodes.list("v1", "Node"):
        no_nodes.merge(each, {"spec": {"unschedulable": True}})

    _evict(no_nodes, pods[0])
    _evict(no_nodes, pods[1])
    with pytest.raises(ApiError, match="disruption budget") as refusal:
        _evict(no_nodes, pods[2])

    assert refusal.value.status == 429


def test_an_evicted_worker_has_its_whole_time_to_drain(
    running: tuple[Planned, list[dict[str, Any]]], no_nodes: Api, stack_name: str
) -> None:
    one, pods = running
    model_id, _, name = one.name.rpartition("-")
    drain = settings_of(stack_name).models[model_id].deployments[name].drain_seconds

    before = no_nodes.get(pods[0])
    _evict(no_nodes, pods[0])
    # kwok ends it at once, and then the time that it had is gone.
    states = [each["metadata"] for each in no_nodes.changes_since({**pods[0], **before})]
    ending = next(state for state in states if "deletionTimestamp" in state)

    assert ending["deletionGracePeriodSeconds"] == drain + 30


def test_a_worker_that_never_gets_ready_does_not_hold_its_node(
    running: tuple[Planned, list[dict[str, Any]]], no_nodes: Api
) -> None:
    _, pods = running
    for pod in pods:
        _not_ready(no_nodes, pod)

    _evict(no_nodes, pods[0])  # AlwaysAllow: the budget is of ready pods


def _not_ready(api: Api, pod: dict[str, Any]) -> None:
    status = deepcopy(pod["status"])
    for condition in status["conditions"]:
        if condition["type"] in {"Ready", "ContainersReady"}:
            condition["status"] = "False"
    api.merge(pod, {"status": {"conditions": status["conditions"]}}, part="/status")


def test_a_smaller_deployment_loses_an_unready_worker_first(
    running: tuple[Planned, list[dict[str, Any]]], no_nodes: Api
) -> None:
    one, pods = running
    _not_ready(no_nodes, pods[2])

    scale(no_nodes, one.name, 3)
    left = eventually(lambda: _standing(no_nodes, one.name, 3), LAST_FOR, "three pods that stay")

    assert left == {pod["metadata"]["name"] for pod in pods} - {pods[2]["metadata"]["name"]}


def _standing(api: Api, name: str, count: int) -> set[str] | None:
    names = {
        pod["metadata"]["name"]
        for pod in pods_of(api, name)
        if "deletionTimestamp" not in pod["metadata"]
    }
    return names if len(names) == count else None
