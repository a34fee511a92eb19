from typing import Any

import pytest

from penstock.local.pods.workload import Container, Probe, Workload, WorkloadError


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
    server = {
        "name": "model-server",
        "restartPolicy": "Always",
        "image": "m",
        "ports": [{"containerPort": 8080}],
    }
    pod = {
        "initContainers": [server],
        "containers": [container],
        "terminationGracePeriodSeconds": 40,
    }
    return {"metadata": {"name": "echo-v1"}, "spec": {"template": {"spec": pod}}}


def pod_of(declared: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = declared["spec"]["template"]["spec"]
    return pod


def named(workload: Workload, name: str) -> Container:
    return next(container for container in workload.containers if container.name == name)


def test_a_container_finds_the_ports_that_its_pod_has_here() -> None:
    workload = Workload.of(deployment())

    assert workload.ports == {9090, 8080}
    assert named(workload, "dispatcher").environment_at({9090: 50_001, 8080: 50_002}) == {
        "PENSTOCK_PORT": "50001",
        "PENSTOCK_MODEL_SERVER_URL": "http://127.0.0.1:50002/v1",
        "QUEUE": "http://127.0.0.1:4566/000000000000/p0",
        "LEASE_SECONDS": "9090",
    }


def test_a_variable_is_read_as_kubernetes_reads_it() -> None:
    values = {
        "HOST": "h",
        "URL": "http://$(HOST)/$(LATER)",
        "PRICE": "$$5 $5 $$(HOST) $$$$",
        "LATER": "x",
    }
    env = [{"name": name, "value": value} for name, value in values.items()]
    container = named(Workload.of(deployment(env=env)), "dispatcher")

    assert container.environment == {
        "HOST": "h",
        "URL": "http://h/$(LATER)",
        "PRICE": "$5 $5 $(HOST) $$",
        "LATER": "x",
    }


def test_a_container_knows_the_config_maps_that_lie_in_its_folders() -> None:
    mounts = [{"name": "told", "mountPath": "/etc/told"}, {"name": "tmp", "mountPath": "/scratch"}]
    declared = deployment(volumeMounts=mounts)
    pod_of(declared)["volumes"] = [
        {"name": "told", "configMap": {"name": "echo-v1-told"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    workload = Workload.of(declared)

    assert named(workload, "dispatcher").mounts == {"/etc/told": "echo-v1-told"}
    assert named(workload, "model-server").mounts == {}


def test_a_volume_that_cannot_be_followed_is_refused_by_name() -> None:
    declared = deployment()
    pod_of(declared)["volumes"] = [{"name": "disk", "hostPath": {"path": "/"}}]

    with pytest.raises(WorkloadError, match="volume disk: only configMap and emptyDir"):
        Workload.of(declared)


def test_a_pod_has_the_grace_and_the_probe_it_declares() -> None:
    workload = Workload.of(deployment())

    assert workload.grace_seconds == 40
    assert named(workload, "dispatcher").readiness == Probe(path="/readyz", port=9090)
    assert named(workload, "model-server").probes == ()


def test_a_sidecar_starts_first_and_ends_last() -> None:
    declared = deployment()
    proxy = {"name": "proxy", "image": "p", "restartPolicy": "Always"}
    pod_of(declared)["initContainers"].append(proxy)
    pod_of(declared)["containers"].append({"name": "second", "image": "s"})
    workload = Workload.of(declared)

    started = [container.name for container in workload.containers]
    ended = [[container.name for container in group] for group in workload.ending_order]
    assert started == ["model-server", "proxy", "dispatcher", "second"]
    assert ended == [["dispatcher", "second"], ["proxy"], ["model-server"]]


def test_an_init_container_that_is_no_sidecar_is_refused_by_name() -> None:
    declared = deployment()
    pod_of(declared)["initContainers"] = [{"name": "migrate", "image": "m"}]

    with pytest.raises(WorkloadError, match=r"echo-v1, init container migrate.*only sidecars"):
        Workload.of(declared)


def test_a_probe_has_the_times_it_declares_and_those_of_kubernetes() -> None:
    get = {"httpGet": {"path": "/healthz", "port": 8080}}
    declared = deployment(
        startupProbe=get,
        livenessProbe={
            **get,
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 2,
            "initialDelaySeconds": 4,
            "terminationGracePeriodSeconds": 1,
        },
    )
    dispatcher = named(Workload.of(declared), "dispatcher")

    assert dispatcher.startup == Probe(path="/healthz", port=8080)
    assert (dispatcher.startup.period_seconds, dispatcher.startup.failure_threshold) == (10, 3)
    assert dispatcher.liveness == Probe(
        path="/healthz",
        port=8080,
        period_seconds=1,
        timeout_seconds=5,
        failure_threshold=2,
        initial_delay_seconds=4,
        grace_seconds=1,
    )


def test_a_probe_of_a_port_that_no_container_has_is_refused() -> None:
    probe = {"httpGet": {"path": "/healthz", "port": 9091}}
    with pytest.raises(WorkloadError, match="dispatcher: no container declares the port 9091"):
        Workload.of(deployment(livenessProbe=probe))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"envFrom": [{"secretRef": {"name": "s"}}]}, "envFrom"),
        ({"livenessProbe": {"exec": {"command": ["true"]}}}, "only httpGet and tcpSocket"),
        ({"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {}}}]}, "TOKEN"),
    ],
)
def test_what_processes_cannot_follow_is_refused_by_name(
    changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(WorkloadError, match=f"echo-v1, container dispatcher: {named}"):
        Workload.of(deployment(**changes))


def test_a_probe_without_a_path_only_connects() -> None:
    declared = deployment(readinessProbe={"tcpSocket": {"port": 9090}, "periodSeconds": 5})

    probe = named(Workload.of(declared), "dispatcher").readiness
    assert probe == Probe(path=None, port=9090, period_seconds=5)


def test_arguments_name_the_port_that_the_pod_has_here() -> None:
    args = ["--port", "9090", "--port=9090", "--length", "19090", "--url=x/9090"]
    container = named(Workload.of(deployment(args=args)), "dispatcher")

    moved = container.arguments_at({9090: 50_001, 8080: 50_002})
    assert moved == ("--port", "50001", "--port=50001", "--length", "19090", "--url=x/9090")
