"""Who may talk to whom in a cluster of the stack's own, as a table."""

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.program import declare as declare_stack
from infra.settings.stack_settings import StackSettings
from tests.infra.cluster.platforms import platform
from tests.infra.isolation.reach import Cluster, Pod
from tests.infra.recording import Declared, record

DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
PROMETHEUS = Pod("monitoring", {"app.kubernetes.io/name": "prometheus"})
WORKER = Pod("penstock", {"penstock.dev/deployment": "ocr-v2"})
OPERATOR = Pod("keda", {"app": "keda-operator"})
METRICS_API = Pod("keda", {"app": "keda-operator-metrics-apiserver"})
WEBHOOKS = Pod("keda", {"app": "keda-admission-webhooks"})
EXPORTER = Pod("nvidia", {"app.kubernetes.io/name": "dcgm-exporter"})
PLUGIN = Pod("nvidia", {"app.kubernetes.io/name": "nvidia-device-plugin"})
STRANGER = Pod("default", {"app": "anything"})

AWS = "52.94.5.1"
API_SERVICE = "172.20.0.1"
CONTROL_PLANE = "10.40.1.9"
"""An interface of the Kubernetes API in the private subnets."""

POD_IDENTITY = "169.254.170.23"
METADATA = "169.254.169.254"


@pytest.fixture(scope="module")
def created(created_settings: StackSettings, artifacts: Artifacts) -> Cluster:
    return Cluster.of(record(lambda: declare_stack(created_settings, artifacts)))


@pytest.fixture(scope="module")
def given(stack: Declared) -> Cluster:
    """A cluster that was there."""
    return Cluster.of(stack)


@pytest.mark.parametrize(
    ("pod", "to", "port", "protocol"),
    [
        (WORKER, DNS, 53, "UDP"),
        (WORKER, DNS, 53, "TCP"),
        (WORKER, AWS, 443, "TCP"),
        (WORKER, POD_IDENTITY, 80, "TCP"),
        (WORKER, "fd00:ec2::23", 80, "TCP"),
        (OPERATOR, DNS, 53, "UDP"),
        (OPERATOR, AWS, 443, "TCP"),
        (OPERATOR, POD_IDENTITY, 80, "TCP"),
        (OPERATOR, API_SERVICE, 443, "TCP"),
        (OPERATOR, CONTROL_PLANE, 443, "TCP"),
        (METRICS_API, DNS, 53, "UDP"),
        (METRICS_API, API_SERVICE, 443, "TCP"),
        (METRICS_API, OPERATOR, 9_666, "TCP"),
        (WEBHOOKS, API_SERVICE, 443, "TCP"),
    ],
)
def test_a_pod_reaches_what_it_needs(
    created: Cluster, pod: Pod, to: Pod | str, port: int, protocol: str
) -> None:
    assert created.may_send(pod, to, port, protocol)


@pytest.mark.parametrize(
    ("pod", "to", "port"),
    [
        (WORKER, METADATA, 80),
        (WORKER, CONTROL_PLANE, 443),
        (WORKER, API_SERVICE, 443),
        (WORKER, AWS, 80),
        (WORKER, WORKER, 8_080),
        (WORKER, OPERATOR, 8_080),
        (WORKER, STRANGER, 443),
        (OPERATOR, METADATA, 80),
        (OPERATOR, WORKER, 9_090),
        (METRICS_API, AWS, 443),
        (METRICS_API, POD_IDENTITY, 80),
        (WEBHOOKS, AWS, 443),
        (WEBHOOKS, OPERATOR, 9_666),
        (EXPORTER, AWS, 443),
        (EXPORTER, DNS, 53),
        (PLUGIN, API_SERVICE, 443),
    ],
)
def test_a_pod_reaches_nothing_else(created: Cluster, pod: Pod, to: Pod | str, port: int) -> None:
    assert not created.may_send(pod, to, port)


@pytest.mark.parametrize(
    ("pod", "from_", "port"),
    [
        (WORKER, PROMETHEUS, 9_090),
        (OPERATOR, METRICS_API, 9_666),
        (OPERATOR, PROMETHEUS, 8_080),
        (METRICS_API, CONTROL_PLANE, 6_443),
        (METRICS_API, PROMETHEUS, 8_080),
        (WEBHOOKS, CONTROL_PLANE, 9_443),
        (EXPORTER, PROMETHEUS, 9_400),
    ],
)
def test_a_pod_is_reached_by_those_it_serves(
    created: Cluster, pod: Pod, from_: Pod | str, port: int
) -> None:
    assert created.may_receive(pod, from_, port)


@pytest.mark.parametrize(
    ("pod", "from_", "port"),
    [
        (WORKER, STRANGER, 9_090),
        (WORKER, PROMETHEUS, 8_080),
        (WORKER, WORKER, 8_080),
        (WORKER, AWS, 9_090),
        (OPERATOR, STRANGER, 9_666),
        (OPERATOR, CONTROL_PLANE, 9_666),
        (METRICS_API, AWS, 6_443),
        (EXPORTER, STRANGER, 9_400),
        (PLUGIN, PROMETHEUS, 9_400),
    ],
)
def test_a_pod_is_reached_by_nobody_else(
    created: Cluster, pod: Pod, from_: Pod | str, port: int
) -> None:
    assert not created.may_receive(pod, from_, port)


def test_without_a_way_out_aws_is_reached_in_the_private_subnets() -> None:
    closed = Cluster.of(platform(egress="private"))

    assert closed.may_send(OPERATOR, "10.40.1.9", 443)
    assert not Cluster.of(platform()).may_send(WEBHOOKS, "10.40.200.9", 443)


def test_workers_of_a_cluster_that_was_there_find_endpoints_of_aws_wherever_they_are(
    given: Cluster,
) -> None:
    for address in (AWS, "10.0.3.4", "172.31.0.9", "192.168.4.4"):
        assert given.may_send(WORKER, address, 443)
        assert not given.may_send(WORKER, address, 80)
    assert not given.may_send(WORKER, METADATA, 80)
    assert given.may_send(WORKER, POD_IDENTITY, 80)


def test_only_workers_that_watch_for_spot_notices_ask_the_metadata(
    created_settings: StackSettings, artifacts: Artifacts
) -> None:
    models = {**created_settings.models}
    model = models["ocr"]
    watching = model.deployments["v2"].model_copy(update={"watch_spot_notice": True})
    models["ocr"] = model.model_copy(update={"deployments": {**model.deployments, "v2": watching}})
    changed = created_settings.model_copy(update={"models": models})

    cluster = Cluster.of(record(lambda: declare_stack(changed, artifacts)))

    assert cluster.may_send(WORKER, METADATA, 80)
    other = Pod("penstock", {"penstock.dev/deployment": "ocr-v1"})
    assert not cluster.may_send(other, METADATA, 80)


def test_the_clusters_network_enforces_policies() -> None:
    network = platform().named("platform-cluster-for-nodes-vpc-cni", ":Addon").inputs

    assert '"enableNetworkPolicy": "true"' in network["configurationValues"]


def test_pods_come_after_the_policies_of_their_namespace(
    created_settings: StackSettings, artifacts: Artifacts
) -> None:
    declared = record(lambda: declare_stack(created_settings, artifacts))
    policies = declared.of_type("networking.k8s.io/v1:NetworkPolicy")
    firsts = {
        "penstock": declared.named("ocr-v2-workers", "apps/v1:Deployment"),
        "keda": declared.named("platform-keda-release", ":Release"),
        "nvidia": declared.named("platform-gpus-dcgm-exporter", ":Release"),
        "telemetry": declared.named("platform-collector-release", ":Release"),
    }

    for policy in policies:
        pods = firsts[policy.inputs["metadata"]["namespace"]]
        assert policy.urn in pods.depends_on, policy.name
