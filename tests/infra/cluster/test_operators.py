"""What the platform installs by Helm: KEDA, and what GPUs need."""

from typing import Any

from tests.infra.cluster.platforms import platform
from tests.infra.recording import ACCOUNT, REGION, Registered


def _release(name: str) -> Registered:
    return platform().named(name, "helm.sh/v3:Release")


def _values(name: str) -> dict[str, Any]:
    values: dict[str, Any] = _release(name).inputs["values"]
    return values


def test_keda_is_the_version_whose_source_was_read() -> None:
    keda = _release("platform-keda-release").inputs

    assert (keda["chart"], keda["version"], keda["namespace"]) == ("keda", "2.20.2", "keda")
    assert keda["repositoryOpts"] == {"repo": "https://kedacore.github.io/charts"}


def test_keda_may_measure_the_stacks_request_queues_and_nothing_else() -> None:
    (statement,) = platform().named("platform-keda-operator-permissions", ":RolePolicy").policy()

    assert statement == {
        "Effect": "Allow",
        "Action": "sqs:GetQueueAttributes",
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:*",
        "Condition": {"StringEquals": {"aws:ResourceTag/penstock:requests-of": "test"}},
    }


def test_keda_starts_with_its_identity_and_scaled_objects_follow_its_credentials() -> None:
    declared = platform()
    identity = declared.named("platform-keda-operator-identity", ":PodIdentityAssociation")
    release = _release("platform-keda-release")
    credentials = declared.named("platform-keda-credentials", ":ClusterTriggerAuthentication")

    account = _values("platform-keda-release")["serviceAccount"]["operator"]["name"]
    assert (identity.inputs["namespace"], identity.inputs["serviceAccount"]) == ("keda", account)
    assert identity.urn in release.depends_on
    assert release.urn in credentials.depends_on
    assert credentials.inputs["metadata"] == {"name": "penstock-aws"}
    assert credentials.inputs["spec"] == {"podIdentity": {"provider": "aws"}}


def test_operators_wait_for_nodes_names_and_credentials() -> None:
    declared = platform()
    first = {
        declared.named("platform-cluster-system-nodes", ":NodeGroup").urn,
        declared.named("platform-cluster-for-pods-coredns", ":Addon").urn,
        declared.named("platform-cluster-for-nodes-eks-pod-identity-agent", ":Addon").urn,
    }

    for release in declared.of_type("helm.sh/v3:Release"):
        assert first <= release.depends_on, release.name


def test_what_gpus_need_runs_where_gpus_are() -> None:
    plugin, exporter = (
        _values("platform-gpus-device-plugin"),
        _values("platform-gpus-dcgm-exporter"),
    )
    nodes = platform().named("platform-fleet-l4-g6-xlarge-spot-nodes", ":NodeGroup").inputs

    (toleration,) = plugin["tolerations"]
    assert toleration["key"] == nodes["taints"][0]["key"]
    assert plugin["tolerations"] == exporter["tolerations"]
    # The plugin's chart looks for this label by itself.
    assert exporter["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert exporter["nodeSelector"].items() <= nodes["labels"].items()
    assert exporter["serviceMonitor"] == {"enabled": False}


def test_namespaces_say_what_their_pods_may_do() -> None:
    enforced = {
        r.inputs["metadata"]["name"]: r.inputs["metadata"]["labels"]
        for r in platform().of_type("core/v1:Namespace")
    }

    label = "pod-security.kubernetes.io"
    assert enforced == {
        "keda": {f"{label}/enforce": "restricted", f"{label}/warn": "restricted"},
        "nvidia": {f"{label}/enforce": "privileged"},
    }
