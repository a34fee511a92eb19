"""Brings metrics of workers and GPUs to CloudWatch, and traces of workers to X-Ray."""

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.cluster.pod_role import PodRole, PodRoleArgs
from infra.components.compute.model_server import DISPATCHER_PORT
from infra.components.custody.log_keeping import LogKeeping
from infra.components.isolation.closed_namespace import (
    ClosedNamespace,
    ClosedNamespaceArgs,
    Opening,
)
from infra.components.isolation.surroundings import Surroundings
from infra.components.isolation.ways import COLLECTOR, DNS, POD_IDENTITY, Way, pods
from infra.components.observability.collector.config import (
    GPU_EXPORTER_NAMESPACE,
    OTLP_PORT,
    CollectorConfigArgs,
    collector_config,
)
from infra.components.operators.chart import COLLECTOR_CHART, OperatorPlace, install
from infra.components.permissions import Statement, allow

_NAMESPACE = "telemetry"
_SERVICE_ACCOUNT = _SERVICE = "telemetry"
_REGISTRY = "public.ecr.aws"
_IMAGE, _TAG = "aws-observability/aws-otel-collector", "v0.49.0"
_USER = 4_317  # of the image
_GPU_EXPORTER_PORT = 9_400
_PORTS_OF_THE_CHART = ("otlp", "jaeger-compact", "jaeger-thrift", "jaeger-grpc", "zipkin")

_FINDS_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
_HARDENED = {
    "podSecurityContext": {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
}

OTLP_ENDPOINT = f"http://{_SERVICE}.{_NAMESPACE}.svc.cluster.local:{OTLP_PORT}"
TO_COLLECTOR = Way(peers=[pods(COLLECTOR, namespace=_NAMESPACE)], ports=[OTLP_PORT])


@dataclass(frozen=True, kw_only=True)
class CollectorArgs:
    """What the collector needs to know."""

    place: OperatorPlace
    stack: str
    namespace: str
    """Of the workers."""

    logs: LogKeeping
    brings_traces: bool


class Collector(pulumi.ComponentResource):
    """AWS's distribution of OpenTelemetry's collector, one pod with a role of its own."""

    def __init__(
        self, name: str, args: CollectorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:observability:Collector", name, {}, opts)
        child, place = pulumi.ResourceOptions(parent=self), args.place
        closed = ClosedNamespaceArgs(
            namespace=_NAMESPACE,
            pod_security="restricted",
            openings={"collector": _opening(args.namespace, place.surroundings)},
        )
        namespace = ClosedNamespace(f"{name}-namespace", closed, child)
        records = args.logs.declare_group(f"{name}-records", child)
        role = PodRoleArgs(
            account_id=place.account_id,
            cluster_name=place.cluster_name,
            namespace=namespace.name,
            service_account=_SERVICE_ACCOUNT,
            statements=_statements(records.arn, brings_traces=args.brings_traces),
        )
        identity = PodRole(f"{name}-pod", role, child).association
        config = CollectorConfigArgs(
            region=place.region,
            stack=args.stack,
            namespace=args.namespace,
            log_group=records.name,
            brings_traces=args.brings_traces,
        )
        install(
            f"{name}-release",
            COLLECTOR_CHART,
            namespace.name,
            _values(place, collector_config(config), brings_traces=args.brings_traces),
            pulumi.ResourceOptions(
                parent=self, depends_on=[identity, *namespace.ready, *place.ready]
            ),
        )
        self.register_outputs({"endpoint": OTLP_ENDPOINT})


def _opening(workers: str, around: Surroundings) -> Opening:
    return Opening(
        pods=COLLECTOR,
        incoming=[Way(peers=[pods({}, namespace=workers)], ports=[OTLP_PORT])],
        outgoing=[
            DNS,
            POD_IDENTITY,
            around.to_api(),
            around.to_aws(),
            Way(peers=[pods({}, namespace=workers)], ports=[DISPATCHER_PORT]),
            Way(peers=[pods({}, namespace=GPU_EXPORTER_NAMESPACE)], ports=[_GPU_EXPORTER_PORT]),
        ],
    )


def _statements(log_group: pulumi.Output[str], *, brings_traces: bool) -> list[Statement]:
    write = ["logs:CreateLogStream", "logs:PutLogEvents"]
    statements = [allow(write, pulumi.Output.concat(log_group, ":*"))]
    if brings_traces:
        # X-Ray has no resources to name.
        statements.append(allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"))
    return statements


def _values(place: OperatorPlace, config: dict[str, Any], *, brings_traces: bool) -> dict[str, Any]:
    return {
        "fullnameOverride": _SERVICE,
        # Two would each read every worker.
        "mode": "deployment",
        "replicaCount": 1,
        "image": {"repository": f"{place.registry(_REGISTRY)}/{_IMAGE}", "tag": _TAG},
        "command": {"name": "awscollector"},
        "serviceAccount": {"create": True, "name": _SERVICE_ACCOUNT},
        "clusterRole": {"create": True, "rules": [_FINDS_PODS]},
        # Instead of what the chart collects by itself.
        "alternateConfig": config,
        "ports": {
            **{name: {"enabled": False} for name in _PORTS_OF_THE_CHART},
            "otlp-http": {"enabled": brings_traces},
        },
        "service": {"enabled": brings_traces},
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "512Mi"},
        },
        **_HARDENED,
    }
