from typing import Any

import pytest

from penstock.local.pods.workload import ReadinessProbe, Workload, WorkloadError


def deployment(**changes: Any) -> dict[str, Any]:
    container = {
        "name": "dispatcher",
        "image": "d",
        "command": ["python", "-m", "dispatcher"],
        "env": [
            {"name": "PENSTOCK_PORT", "value": "9090"},
            {"name": "PENSTOCK_MODEL_SERVER_URL", "value": "http://127.0.0.1:8080/v1"},
            {"name": "QUEUE", "value": "http://127.0.0.1:4566/000000000000/p0"},
            {"name": "LEASE_SECONDS", "value": "9090"},
        ],
        "ports": [{"containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 9090}},
        **changes,
    }
    server = {"name": "model-server", "image": "m", "ports": [{"containerPort": 8080}]}
    pod = {"containers": [container, server], "terminationGracePeriodSeconds": 40}
    return {"metadata": {"name": "echo-v1"}, "spec": {"template": {"spec": pod}}}


def test_a_container_finds_the_ports_that_its_pod_has_here() -> None:
    workload = Workload.of(deployment())

    assert workload.ports == {9090, 8080}
    assert workload.containers[0].environment_at({9090: 50_001, 8080: 50_002}) == {
        "PENSTOCK_PORT": "50001",
        "PENSTOCK_MODEL_SERVER_URL": "http://127.0.0.1:50002/v1",
        "QUEUE": "http://127.0.0.1:4566/000000000000/p0",
        "LEASE_SECONDS": "9090",
    }


def test_a_pod_has_the_grace_and_the_probe_it_declares() -> None:
    workload = Workload.of(deployment())

    assert workload.grace_seconds == 40
    assert workload.containers[0].readiness == ReadinessProbe("/readyz", 9090)
    assert workload.containers[1].readiness is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"envFrom": [{"secretRef": {"name": "s"}}]}, "envFrom"),
        ({"args": ["--fast"]}, "args"),
        ({"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {}}}]}, "TOKEN"),
    ],
)
def test_what_processes_cannot_follow_is_refused_by_name(
    changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(WorkloadError, match=f"echo-v1, container dispatcher: {named}"):
        Workload.of(deployment(**changes))
