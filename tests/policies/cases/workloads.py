from typing import Any

from tests.policies.cases.case import fails, passes, resource
from tests.policies.servicer import UNKNOWN, Given

IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/worker@sha256:{'a' * 64}"
SOFT: dict[str, Any] = {"name": "model", "image": IMAGE}
HARD = {
    **SOFT,
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}
NOBODY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
METADATA = {"name": "ocr", "namespace": "workers"}


def deployment(*containers: dict[str, Any], **spec: Any) -> Given:
    template = {"spec": {"containers": list(containers), **spec}}
    return _deployment(template)


def _deployment(template: dict[str, Any]) -> Given:
    kind = "kubernetes:apps/v1:Deployment"
    return resource(kind, "ocr", metadata=METADATA, spec={"template": template})


def cron_job(*containers: dict[str, Any]) -> Given:
    template = {"spec": {"containers": list(containers)}}
    spec = {"jobTemplate": {"spec": {"template": template}}}
    return resource("kubernetes:batch/v1:CronJob", "nightly", spec=spec)


def softened(**context: Any) -> dict[str, Any]:
    return {**HARD, "securityContext": {**HARD["securityContext"], **context}}


ON_GPU = {
    **HARD,
    "resources": {"limits": {"nvidia.com/gpu": "1"}},
    "startupProbe": {"httpGet": {"path": "/", "port": 8080}},
}
SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"


def gpu_worker(container: dict[str, Any] = ON_GPU, evict: str = "false", **spec: Any) -> Given:
    given = {
        "containers": [container],
        "nodeSelector": {"penstock.dev/gpu": "L4"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "terminationGracePeriodSeconds": 600,
    }
    return _deployment({"metadata": {"annotations": {SAFE: evict}}, "spec": {**given, **spec}})


NAMESPACE = resource("kubernetes:core/v1:Namespace", "workers", metadata={"name": "workers"})


def deny(namespace: str = "workers", **spec: Any) -> Given:
    given = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], **spec}
    metadata = {"name": "deny", "namespace": namespace}
    return resource(
        "kubernetes:networking.k8s.io/v1:NetworkPolicy", "deny", metadata=metadata, spec=given
    )


def trigger(name: str, **metadata: Any) -> dict[str, Any]:
    return {"type": "aws-sqs-queue", "name": name, "metadata": {"queueURL": UNKNOWN, **metadata}}


def scaled(target: str = "ocr", modifiers: dict[str, Any] | None = None, **spec: Any) -> Given:
    scaling = {"formula": "ceil((p0 + p1) / 2)", "target": "1", **(modifiers or {})}
    given = {
        "scaleTargetRef": {"name": target},
        "maxReplicaCount": 8,
        "fallback": {"failureThreshold": 3, "replicas": 1},
        "advanced": {"scalingModifiers": scaling},
        "triggers": [trigger("p0"), trigger("p1")],
    }
    kind = "kubernetes:keda.sh/v1alpha1:ScaledObject"
    return resource(kind, "ocr-scaling", metadata=METADATA, spec={**given, **spec})


CASES = [
    passes("k8s-image-digest", "by digest", deployment(SOFT)),
    passes(
        "k8s-image-digest",
        "another registry by config",
        deployment({"name": "m", "image": f"ghcr.io/org/vllm@sha256:{'b' * 64}"}),
        config={"registries": ["ghcr.io"]},
    ),
    fails(
        "k8s-image-digest",
        "by tag",
        deployment({"name": "m", "image": f"{IMAGE.partition('@')[0]}:latest"}),
        says="container m: name the image by @sha256:…",
    ),
    fails(
        "k8s-image-digest",
        "beside one that nobody knows yet",
        deployment({"name": "a", "image": UNKNOWN}, {"name": "b", "image": "nginx:1"}),
        says="ocr: container b: name the image",
    ),
    fails(
        "k8s-image-digest",
        "an unknown registry",
        deployment({"name": "m", "image": f"nginx@sha256:{'b' * 64}"}),
        says="allow docker.io by config",
    ),
    fails(
        "k8s-image-digest",
        "a sidecar",
        deployment(SOFT, initContainers=[{"name": "side", "image": "busybox"}]),
        says="container side: name the image",
    ),
    fails(
        "k8s-image-digest", "a job", cron_job({"name": "j", "image": "busybox"}), says="nightly:"
    ),
    passes("k8s-pod-hardening", "hardened", deployment(HARD, securityContext=NOBODY)),
    passes(
        "k8s-pod-hardening",
        "writes by config",
        deployment(softened(readOnlyRootFilesystem=False), securityContext=NOBODY),
        config={"writableRoot": ["model"]},
    ),
    fails(
        "k8s-pod-hardening", "as it comes", deployment(SOFT), says="model: set run_as_non_root, a"
    ),
    fails(
        "k8s-pod-hardening", "may be root", deployment(HARD), says="set run_as_non_root, seccomp"
    ),
    fails(
        "k8s-pod-hardening",
        "may become root",
        deployment(softened(allowPrivilegeEscalation=True), securityContext=NOBODY),
        says="set allow_privilege_escalation=False",
    ),
    fails(
        "k8s-pod-hardening",
        "keeps capabilities",
        deployment(softened(capabilities={"add": ["NET_ADMIN"]}), securityContext=NOBODY),
        says="capabilities",
    ),
    fails(
        "k8s-pod-hardening",
        "writes where it runs",
        deployment(softened(readOnlyRootFilesystem=False), securityContext=NOBODY),
        says="read_only_root_filesystem",
    ),
    fails(
        "k8s-pod-hardening",
        "while half of it is not known",
        deployment(softened(readOnlyRootFilesystem=False), securityContext=UNKNOWN),
        says="read_only_root_filesystem",
    ),
    passes("k8s-gpu-worker", "cared for", gpu_worker()),
    passes("k8s-gpu-worker", "without a GPU", deployment(HARD)),
    passes(
        "k8s-gpu-worker",
        "tolerates everything",
        gpu_worker(tolerations=[{"operator": "Exists"}]),
    ),
    passes(
        "k8s-gpu-worker",
        "on nodes without GPUs",
        deployment(HARD, nodeSelector={"penstock.dev/gpu": "none"}),
    ),
    fails("k8s-gpu-worker", "no GPU for it", gpu_worker(HARD), says="a limit of nvidia.com/gpu"),
    fails("k8s-gpu-worker", "any node", gpu_worker(nodeSelector={}), says="ocr: select nodes by"),
    fails("k8s-gpu-worker", "no toleration", gpu_worker(tolerations=[]), says="tolerate the taint"),
    fails(
        "k8s-gpu-worker",
        "killed too soon for the config",
        gpu_worker(),
        says="termination_grace_period_seconds to 3600",
        config={"minGraceSeconds": 3_600},
    ),
    fails("k8s-gpu-worker", "moved", gpu_worker(evict="true"), says="safe-to-evict"),
    fails(
        "k8s-gpu-worker",
        "no time to load",
        gpu_worker({**ON_GPU, "startupProbe": None}),
        says="container model: add a startup_probe",
    ),
    passes("k8s-no-hostpath-privileged", "off the host", deployment(HARD)),
    passes(
        "k8s-no-hostpath-privileged",
        "a path of the config",
        deployment(HARD, volumes=[{"name": "w", "hostPath": {"path": "/mnt/weights"}}]),
        config={"allowedPaths": ["/mnt/weights"]},
    ),
    fails(
        "k8s-no-hostpath-privileged",
        "a path of the host",
        deployment(HARD, volumes=[{"name": "w", "hostPath": {"path": "/"}}]),
        says="take the hostPath / away",
    ),
    fails(
        "k8s-no-hostpath-privileged",
        "privileged",
        deployment(softened(privileged=True)),
        says="ocr: container model: take privileged away",
    ),
    fails(
        "k8s-no-hostpath-privileged",
        "the host's network",
        deployment(HARD, hostNetwork=True),
        says="take hostNetwork away",
    ),
    passes("k8s-default-deny", "closed", NAMESPACE, deny()),
    fails("k8s-default-deny", "open", NAMESPACE, says="workers: add a NetworkPolicy"),
    fails("k8s-default-deny", "another one's", NAMESPACE, deny("keda"), says="workers: add"),
    fails("k8s-default-deny", "out is open", NAMESPACE, deny(policyTypes=["Ingress"]), says="both"),
    fails("k8s-default-deny", "a hole", NAMESPACE, deny(egress=[{}]), says="no rules"),
    fails(
        "k8s-default-deny",
        "some pods only",
        NAMESPACE,
        deny(podSelector={"matchLabels": {"a": "b"}}),
        says="an empty pod_selector",
    ),
    passes("keda-scaledobject", "scales well", deployment(), scaled()),
    passes(
        "keda-scaledobject",
        "more by config",
        deployment(),
        scaled(maxReplicaCount=200),
        config={"maxReplicas": 200},
    ),
    fails("keda-scaledobject", "of nothing", scaled("gone"), says="point scaleTargetRef at"),
    fails(
        "keda-scaledobject",
        "of another namespace's",
        deployment()._replace(props={"metadata": {"name": "ocr", "namespace": "else"}}),
        scaled(),
        says="in its namespace",
    ),
    fails(
        "keda-scaledobject",
        "a fraction that drops the fallback",
        deployment(),
        scaled(modifiers={"target": "0.7"}),
        says="set scalingModifiers.target to a whole number",
    ),
    fails(
        "keda-scaledobject",
        "an outage scales to zero",
        deployment(),
        scaled(fallback={"replicas": 0}),
        says="set fallback.replicas to 1",
    ),
    fails("keda-scaledobject", "no limit", deployment(), scaled(maxReplicaCount=500), says="64"),
    fails(
        "keda-scaledobject",
        "a queue that does not count",
        deployment(),
        scaled(modifiers={"formula": "p0"}),
        says="name trigger p1 in scalingModifiers.formula",
    ),
    fails(
        "keda-scaledobject",
        "busy workers are stopped",
        deployment(),
        scaled(triggers=[trigger("p0", scaleOnInFlight="false"), trigger("p1")]),
        says="take scaleOnInFlight=false from trigger p0",
    ),
]
