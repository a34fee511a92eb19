"""What the collector reads, and where it brings it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.observability.metric import GPU_UTILISATION
from penstock.contracts.observability.metric_names import WorkerMetric, metrics_namespace

OTLP_PORT, HEALTH_PORT = 4_318, 13_133
GPU_EXPORTER_NAMESPACE = "nvidia"

_OWN_ADDRESS = "${env:MY_POD_IP}"
_ANNOTATION = "__meta_kubernetes_pod_annotation_prometheus_io_scrape"
_PORT_NAME = "__meta_kubernetes_pod_container_port_name"
_APP = "__meta_kubernetes_pod_label_app_kubernetes_io_name"
_DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    WorkerMetric.IN_FLIGHT: ("deployment_id",),
    WorkerMetric.RECENT_TIME_IN_QUEUE: ("deployment_id", "quantile"),
    WorkerMetric.ENDED: ("deployment_id", "state"),
    GPU_UTILISATION: ("deployment_id",),
}
"""What is brought to CloudWatch, which asks for each metric: no more than dashboards draw."""


@dataclass(frozen=True, kw_only=True)
class CollectorConfigArgs:
    """What the configuration says."""

    region: str
    stack: str
    namespace: str
    """Of the workers."""

    log_group: pulumi.Input[str]
    """Where CloudWatch reads metrics from."""

    brings_traces: bool


def collector_config(args: CollectorConfigArgs) -> dict[str, Any]:
    """Return the configuration, as OpenTelemetry's collector has it."""
    receivers: dict[str, Any] = {"prometheus": {"config": {"scrape_configs": _scraped(args)}}}
    exporters: dict[str, Any] = {"awsemf": _to_cloudwatch(args)}
    processors = ["memory_limiter", "filter", "batch"]
    pipelines = {"metrics": _pipeline("prometheus", processors, "awsemf")}
    if args.brings_traces:
        receivers["otlp"] = {"protocols": {"http": {"endpoint": f"{_OWN_ADDRESS}:{OTLP_PORT}"}}}
        exporters["awsxray"] = {
            "region": args.region,
            # By these X-Ray finds traces.
            "indexed_attributes": ["penstock.request_id", "penstock.attempt"],
        }
        pipelines["traces"] = _pipeline("otlp", ["memory_limiter", "batch"], "awsxray")
    return {
        "receivers": receivers,
        "processors": _processors(),
        "exporters": exporters,
        "extensions": {"health_check": {"endpoint": f"{_OWN_ADDRESS}:{HEALTH_PORT}"}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": pipelines,
        },
    }


def _pipeline(receiver: str, processors: list[str], exporter: str) -> dict[str, list[str]]:
    return {"receivers": [receiver], "processors": processors, "exporters": [exporter]}


def _processors() -> dict[str, Any]:
    names = "|".join(_DIMENSIONS)
    return {
        "memory_limiter": {
            "check_interval": "5s",
            "limit_percentage": 80,
            "spike_limit_percentage": 25,
        },
        "batch": {},
        # What a scrape says of itself (`up` and the like) would be paid for as well.
        "filter": {"metrics": {"metric": [f'not IsMatch(name, "^({names})$")']}},
    }


def _to_cloudwatch(args: CollectorConfigArgs) -> dict[str, Any]:
    return {
        "region": args.region,
        "namespace": metrics_namespace(args.stack),
        "log_group_name": args.log_group,
        "log_stream_name": "collector",
        "dimension_rollup_option": "NoDimensionRollup",
        # Tells the workers of a deployment apart, so that none is taken for another's repetition.
        "resource_to_telemetry_conversion": {"enabled": True},
        "metric_declarations": [
            {"dimensions": [list(dimensions)], "metric_name_selectors": [f"^{name}$"]}
            for name, dimensions in _DIMENSIONS.items()
        ],
    }


def _scraped(args: CollectorConfigArgs) -> list[dict[str, Any]]:
    workers = _job(
        "workers",
        args.namespace,
        [_keep(_ANNOTATION, "true"), _keep(_PORT_NAME, "metrics")],
        [_keep("__name__", "|".join(name for name in _DIMENSIONS if name != GPU_UTILISATION))],
    )
    gpus = _job(
        "gpus",
        GPU_EXPORTER_NAMESPACE,
        [_keep(_APP, "dcgm-exporter"), _keep(_PORT_NAME, "metrics")],
        [
            _keep("__name__", GPU_UTILISATION),
            _keep("namespace", args.namespace),
            # The exporter names the pod that a GPU belongs to: `<deployment>-<hash>-<hash>`.
            {
                "source_labels": ["pod"],
                "regex": "(.+)-[a-z0-9]+-[a-z0-9]+",
                "target_label": "deployment_id",
                "replacement": "$$1",  # the collector itself reads one `$`
            },
        ],
    )
    return [workers, gpus]


def _job(
    name: str, namespace: str, targets: list[dict[str, Any]], metrics: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "job_name": name,
        # Once in a minute, CloudWatch's own step: one sample is one worker.
        "scrape_interval": "60s",
        "scrape_timeout": "10s",
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [namespace]}}],
        "relabel_configs": targets,
        "metric_relabel_configs": metrics,
    }


def _keep(label: str, pattern: str) -> dict[str, Any]:
    return {"source_labels": [label], "action": "keep", "regex": pattern}
