"""Which metrics really are, and which ones dashboards and alarms name."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from functions.telemetry import telemetry
from infra.components.observability.metric import GPU_UTILISATION, AwsMetric
from penstock.contracts.observability.metric_names import FunctionMetric
from runtime_image.dispatcher.observability.metrics import Metrics
from tests.infra.recording import Declared

AWS = {
    "AWS/ApiGateway": {"4XXError", "5XXError", "Count", "IntegrationLatency", "Latency"},
    "AWS/Lambda": {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"},
    "AWS/SNS": {"NumberOfMessagesPublished", "NumberOfNotificationsFailed"},
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
    },
}
"""As AWS documents them, in namespaces that we look at."""

DIMENSIONS_OF_AWS = {
    "AWS/ApiGateway": {"ApiName", "Stage"},
    "AWS/Lambda": {"FunctionName"},
    "AWS/SNS": {"TopicName"},
    "AWS/SQS": {"QueueName"},
}


class Named(NamedTuple):
    """A metric that somebody looks at."""

    namespace: str
    name: str
    dimensions: dict[str, str]


def in_alarms(declared: Declared) -> Iterator[Named]:
    """Yield what alarms look at."""
    for alarm in declared.of_type("cloudwatch/metricAlarm:MetricAlarm"):
        for query in alarm.inputs["metricQueries"]:
            if metric := query.get("metric"):
                yield Named(metric["namespace"], metric["metricName"], metric["dimensions"])


def in_dashboards(declared: Declared) -> Iterator[Named]:
    """Yield what dashboards draw."""
    for widget in widgets(declared):
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], str):
                namespace, name, *pairs, _look = line
                yield Named(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def widgets(declared: Declared) -> list[dict[str, Any]]:
    """Return all widgets of the one dashboard."""
    (dashboard,) = declared.of_type("cloudwatch/dashboard:Dashboard")
    found: list[dict[str, Any]] = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    return found


@cache
def shown_by_workers() -> dict[str, set[str]]:
    """Return what a dispatcher shows to Prometheus, with its labels; and what a GPU does."""
    metrics = Metrics("ocr", "ocr-v1")
    metrics.observe_time_in_queue(1)
    metrics.count_failed_attempt("MODEL_PREDICT_ERROR")
    text = generate_latest(metrics.registry).decode()
    shown = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    # The collector finds out whose pod uses a GPU.
    return {**shown, GPU_UTILISATION: {"deployment_id"}}


@cache
def counted_by_functions() -> set[str]:
    """Return what functions can count, as it is written to the log."""
    counted = telemetry("webhooks")
    counted.metrics.clear_metrics()
    for metric in FunctionMetric:
        counted.count(metric)
    (directive,) = counted.metrics.serialize_metric_set()["_aws"]["CloudWatchMetrics"]
    counted.metrics.clear_metrics()
    return {metric["Name"] for metric in directive["Metrics"]}


def is_measured(named: Named) -> bool:
    """Whether there is such a metric with such dimensions."""
    if named.namespace in AWS:
        has_dimensions = set(named.dimensions) == DIMENSIONS_OF_AWS[named.namespace]
        return named.name in AWS[named.namespace] and has_dimensions
    if set(named.dimensions) == {"service"}:
        return named.name in counted_by_functions()
    return set(named.dimensions) <= shown_by_workers().get(named.name, set())


def aws_names() -> Iterator[tuple[str, str]]:
    """Yield namespace and name of every metric of AWS that may be used."""
    for metric in AwsMetric:
        namespace, _, name = metric.partition(" ")
        yield namespace, name
