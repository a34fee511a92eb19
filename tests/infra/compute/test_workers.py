"""Worker pods: hardened, undisturbed while they work, as many as there is work."""

from typing import Any

import pytest

from infra.artifacts.artifacts import Artifacts
from infra.components.compute.model_server import model_server_variables
from infra.program import declare as declare_stack
from infra.settings.model_settings import DeploymentSettings, ModelSettings
from infra.settings.stack_settings import StackSettings
from penstock.autoscaling.scaled_object import scaled_object
from penstock.contracts.request_id import model_fingerprint
from tests.infra.manifests import check_manifest
from tests.infra.recording import ACCOUNT, REGION, Declared, record


def _pod(stack: Declared, deployment_id: str) -> dict[str, Any]:
    workers = stack.named(f"{deployment_id}-workers", "apps/v1:Deployment").inputs
    template: dict[str, Any] = workers["spec"]["template"]
    return template


def _container(stack: Declared, deployment_id: str, name: str) -> dict[str, Any]:
    spec = _pod(stack, deployment_id)["spec"]
    containers: list[dict[str, Any]] = [*spec["initContainers"], *spec["containers"]]
    return next(container for container in containers if container["name"] == name)


def _place(probe: dict[str, Any]) -> tuple[str, int]:
    return probe["httpGet"]["path"], probe["httpGet"]["port"]


@pytest.fixture(scope="module")
def stopping(settings: StackSettings, artifacts: Artifacts) -> Declared:
    """A stack whose echo model works on after a closed call, on spot nodes."""
    deployment = (
        settings.models["echo"]
        .deployments["v1"]
        .model_copy(update={"restart_after_stop": True, "watch_spot_notice": True})
    )
    models = {"echo": ModelSettings(deployments={"v1": deployment})}
    changed = settings.model_copy(update={"models": models})
    return record(lambda: declare_stack(changed, artifacts))


def test_replicas_are_left_to_keda(stack: Declared) -> None:
    workers = stack.named("ocr-v2-workers", "apps/v1:Deployment")

    assert workers.inputs["spec"]["replicas"] == 0
    assert workers.ignored_changes == ("spec.replicas",)
    assert workers.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_the_scaled_object_is_that_of_the_settings(
    stack: Declared, settings: StackSettings
) -> None:
    scaling = stack.named("ocr-v2-scaling", ":ScaledObject").inputs
    p0, p1, p2 = (
        stack.named(f"ocr-v2-p{priority}", "sqs/queue:Queue").outputs["url"]
        for priority in range(3)
    )

    assert scaling["spec"] == scaled_object(
        settings.models["ocr"].deployments["v2"].autoscaling,
        target="ocr-v2",
        queue_urls=(p0, p1, p2),
        region="us-east-1",
        authentication="penstock-aws",
    )
    workers = stack.named("ocr-v2-workers", "apps/v1:Deployment").inputs
    assert scaling["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    assert scaling["metadata"]["namespace"] == workers["metadata"]["namespace"] == "penstock"


def test_a_dispatcher_is_told_how_its_requests_share_calls() -> None:
    values = {
        "truss": "examples/models/embeddings",
        "instance": "L4",
        "batching": {"max_batch_size": 16, "max_wait_ms": 20},
        "autoscaling": {"concurrency_target": 32},
    }
    told = model_server_variables(DeploymentSettings.checked(values))
    alone = model_server_variables(DeploymentSettings.checked(values | {"batching": None}))

    assert (told["max_batch_size"], told["max_batch_wait_ms"]) == ("16", "20")
    assert alone["max_batch_size"] == "1"


def test_a_worker_is_not_evicted_and_has_time_to_drain(stack: Declared) -> None:
    pod = _pod(stack, "ocr-v2")

    undisturbed = {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
    }
    assert pod["metadata"]["annotations"].items() >= undisturbed.items()
    assert pod["spec"]["terminationGracePeriodSeconds"] == 660 + 30


def test_a_model_server_outlives_the_dispatcher_that_drains_on_it(stack: Declared) -> None:
    spec = _pod(stack, "ocr-v2")["spec"]

    # Kubernetes ends sidecars when all other containers have ended.
    assert [c["name"] for c in spec["containers"]] == ["dispatcher"]
    assert [(c["name"], c["restartPolicy"]) for c in spec["initContainers"]] == [
        ("model-server", "Always")
    ]


@pytest.mark.parametrize("name", ["dispatcher", "model-server"])
def test_a_container_can_do_as_little_as_possible(stack: Declared, name: str) -> None:
    security = _container(stack, "ocr-v2", name)["securityContext"]

    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["runAsUser"] == {"dispatcher": 10_001, "model-server": 60_000}[name]
    assert security["readOnlyRootFilesystem"] is (name == "dispatcher")
    assert _pod(stack, "ocr-v2")["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_pod_may_write_to_its_temporary_folders(stack: Declared) -> None:
    volumes = {v["name"]: v for v in _pod(stack, "ocr-v2")["spec"]["volumes"]}

    for name in ("dispatcher", "model-server"):
        mounts = _container(stack, "ocr-v2", name)["volumeMounts"]
        (writable,) = (mount for mount in mounts if not mount.get("readOnly"))
        assert writable["mountPath"] == "/tmp"  # noqa: S108 - inside the pod
        assert "emptyDir" in volumes[writable["name"]]


def test_containers_are_probed_where_they_answer(stack: Declared) -> None:
    dispatcher = _container(stack, "ocr-v2", "dispatcher")
    model = _container(stack, "ocr-v2", "model-server")

    assert _place(dispatcher["livenessProbe"]) == ("/healthz", 9_090)
    assert _place(dispatcher["readinessProbe"]) == ("/readyz", 9_090)
    assert _place(model["livenessProbe"]) == ("/", 8_080)
    assert _place(model["readinessProbe"]) == ("/v1/models/model", 8_080)
    assert _place(model["startupProbe"]) == ("/v1/models/model", 8_080)
    startup = model["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 1_800


def test_a_dispatcher_is_told_what_its_deployment_is_set_to(
    stack: Declared, stopping: Declared
) -> None:
    wanted = {"PENSTOCK_RESTART_AFTER_STOP", "PENSTOCK_WATCH_SPOT_NOTICE"}

    def told(declared: Declared) -> dict[str, str]:
        env = _container(declared, "echo-v1", "dispatcher")["env"]
        return {v["name"]: v["value"] for v in env if v["name"] in wanted}

    assert told(stack) == dict.fromkeys(wanted, "false")
    assert told(stopping) == dict.fromkeys(wanted, "true")


def test_a_model_server_that_works_on_is_restarted_within_seconds(stopping: Declared) -> None:
    liveness = _container(stopping, "echo-v1", "model-server")["livenessProbe"]

    assert _place(liveness) == ("/model-server/healthz", 9_090)
    assert liveness["periodSeconds"] * liveness["failureThreshold"] == 2
    assert liveness["terminationGracePeriodSeconds"] == 1


def test_a_dispatcher_is_there_before_its_silence_ends_the_model_server(
    stopping: Declared,
) -> None:
    model = _container(stopping, "echo-v1", "model-server")

    assert "startupProbe" not in model  # the dispatcher would wait for it
    assert model["livenessProbe"]["initialDelaySeconds"] == 5


@pytest.mark.parametrize("version", ["1.33", "1.35"])
def test_a_pod_with_such_probes_is_valid(stopping: Declared, version: str) -> None:
    workers = stopping.named("echo-v1-workers", "apps/v1:Deployment")

    check_manifest(workers.inputs, version)


def test_a_gpu_deployment_waits_for_its_gpu(stack: Declared) -> None:
    spec = _pod(stack, "ocr-v2")["spec"]
    resources = _container(stack, "ocr-v2", "model-server")["resources"]

    assert resources["limits"]["nvidia.com/gpu"] == "1"
    assert spec["nodeSelector"] == {"penstock.dev/gpu": "L4"}
    assert spec["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_a_cpu_deployment_runs_anywhere(stack: Declared) -> None:
    spec = _pod(stack, "ocr-v1")["spec"]
    resources = _container(stack, "ocr-v1", "model-server")["resources"]

    assert resources == {
        "requests": {"cpu": "3500m", "memory": "12902Mi"},
        "limits": {"memory": "12902Mi"},
    }
    assert "nodeSelector" not in spec
    assert "tolerations" not in spec


@pytest.mark.parametrize("deployment_id", ["ocr-v1", "ocr-v2", "echo-v1"])
def test_a_worker_has_a_role_of_its_own(stack: Declared, deployment_id: str) -> None:
    role = stack.named(f"{deployment_id}-worker", "iam/role:Role")
    identity = stack.named(f"{deployment_id}-identity", ":PodIdentityAssociation").inputs
    pod = _pod(stack, deployment_id)["spec"]

    (trust,) = role.policy("assumeRolePolicy")
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert set(trust["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
    assert identity == {
        "clusterName": "penstock-dev",
        "namespace": "penstock",
        "serviceAccount": pod["serviceAccountName"],
        "roleArn": role.outputs["arn"],
    }
    account = stack.named(f"{deployment_id}-account", ":ServiceAccount").inputs
    fingerprint = model_fingerprint(deployment_id.partition("-")[0])
    assert account["metadata"]["name"] == f"{fingerprint}-{deployment_id}"
    assert account["metadata"]["name"] == pod["serviceAccountName"]


def test_no_container_of_a_model_is_given_aws_credentials(stack: Declared) -> None:
    pod = _pod(stack, "ocr-v2")
    skipped = pod["metadata"]["annotations"]["eks.amazonaws.com/skip-containers"].split(",")
    containers = [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]
    images = {container["name"]: container["image"] for container in containers}
    of_the_dispatcher = images.pop("dispatcher")

    assert set(skipped) == set(images)
    assert of_the_dispatcher not in images.values()
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_a_worker_may_do_what_it_does_and_nothing_else(stack: Declared) -> None:
    statements = stack.named("ocr-v1-permissions", ":RolePolicy").policy()
    payloads, results = "arn:aws:s3:::store-payloads-bucket", "arn:aws:s3:::store-results-bucket"
    own = model_fingerprint("ocr")

    granted = {
        (action, resource)
        for s in statements
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
        for resource in ([s["Resource"]] if isinstance(s["Resource"], str) else s["Resource"])
        if not action.startswith("sqs:")  # tests/infra/pipeline/test_request_queues.py
    }
    requests = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:requests-table"
    assert granted == {
        ("dynamodb:UpdateItem", requests),
        ("dynamodb:BatchGetItem", requests),
        ("s3:GetObject", f"{payloads}/payloads/{own}*"),
        ("s3:GetObject", f"{payloads}/uploads/*"),
        ("s3:ListBucket", payloads),
        ("s3:AbortMultipartUpload", f"{results}/results/{own}*"),
        ("s3:PutObject", f"{results}/results/{own}*"),
        ("s3:PutObject", f"{results}/failures/{own}*"),
        ("s3:DeleteObject", f"{results}/failures/{own}*"),
        ("s3:GetObject", f"{results}/results/{own}*"),
        ("s3:GetObject", f"{results}/failures/{own}*"),
        ("s3:ListBucket", results),
        ("sns:Publish", stack.returned["succeeded_topic"]),
        ("sns:Publish", stack.returned["failed_topic"]),
    }
    conditions = [s["Condition"] for s in statements if "Condition" in s]
    assert conditions == [
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{own}*"]}},
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{own}*"]}},
        {"StringLike": {"s3:prefix": [f"payloads/{own}*", "uploads/*"]}},
        {"StringLike": {"s3:prefix": [f"results/{own}*", f"failures/{own}*"]}},
    ]


@pytest.mark.parametrize("deployment_id", ["ocr-v1", "ocr-v2", "echo-v1"])
def test_a_drain_of_nodes_takes_at_most_half_of_the_workers_at_once(
    stack: Declared, deployment_id: str
) -> None:
    budget = stack.named(f"{deployment_id}-budget", ":PodDisruptionBudget").inputs
    workers = stack.named(f"{deployment_id}-workers", "apps/v1:Deployment").inputs

    assert budget["metadata"]["namespace"] == workers["metadata"]["namespace"]
    assert budget["spec"] == {
        "selector": workers["spec"]["selector"],
        "maxUnavailable": "50%",  # rounded up: one of one
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    labels = workers["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_workers_live_where_only_restricted_pods_are_let_in(stack: Declared) -> None:
    labels = stack.named("workers", "core/v1:Namespace").inputs["metadata"]["labels"]

    assert labels == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
    }
