"""Metrics as dashboard and alarms name them: those of AWS, and our own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, Self

import pulumi
import pulumi_aws as aws

from penstock.contracts.observability.metric_names import (
    FunctionMetric,
    metrics_namespace,
)

Statistic = Literal["Sum", "Maximum", "Average", "SampleCount"]
GPU_UTILISATION = "DCGM_FI_DEV_GPU_UTIL"
"""Of NVIDIA's exporter, in percent."""


class AwsMetric(StrEnum):
    """What AWS itself measures, free of charge."""

    VISIBLE = "AWS/SQS ApproximateNumberOfMessagesVisible"
    HIDDEN = "AWS/SQS ApproximateNumberOfMessagesNotVisible"
    AGE = "AWS/SQS ApproximateAgeOfOldestMessage"
    """Of those that are being worked on as well."""

    API_CALLS = "AWS/ApiGateway Count"
    API_REFUSED = "AWS/ApiGateway 4XXError"
    API_FAILED = "AWS/ApiGateway 5XXError"
    INVOCATIONS = "AWS/Lambda Invocations"
    ERRORS = "AWS/Lambda Errors"
    PUBLISHED = "AWS/SNS NumberOfMessagesPublished"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One line of numbers."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: Statistic

    @classmethod
    def of_aws(
        cls, metric: AwsMetric, statistic: Statistic, **dimensions: pulumi.Input[str]
    ) -> Self:
        """Return a metric of AWS."""
        namespace, _, name = metric.partition(" ")
        return cls(namespace=namespace, name=name, dimensions=dimensions, statistic=statistic)

    @classmethod
    def of_function(cls, stack: str, function: str, metric: FunctionMetric) -> Self:
        """Return what a function counts."""
        return cls(
            namespace=metrics_namespace(stack),
            name=metric.value,
            dimensions={"service": function},
            statistic="Sum",
        )

    @classmethod
    def of_workers(
        cls,
        stack: str,
        deployment_id: str,
        metric: str,
        statistic: Statistic,
        **labels: str,
    ) -> Self:
        """Return what the collector brings from all workers of a deployment."""
        dimensions = {"deployment_id": deployment_id, **labels}
        namespace = metrics_namespace(stack)
        return cls(
            namespace=namespace, name=str(metric), dimensions=dimensions, statistic=statistic
        )

    def as_statistic(self, statistic: Statistic) -> Self:
        """Return the same numbers, summed up in another way."""
        return replace(self, statistic=statistic)

    def for_alarm(self, period_seconds: int) -> aws.cloudwatch.MetricAlarmMetricQueryMetricArgsDict:
        """Return it as an alarm takes it."""
        return {
            "namespace": self.namespace,
            "metric_name": self.name,
            "dimensions": self.dimensions,
            "stat": self.statistic,
            "period": period_seconds,
        }

    def for_widget(self, **look: Any) -> list[Any]:  # noqa: ANN401 - JSON of CloudWatch
        """Return it as a widget takes it."""
        named = [part for pair in self.dimensions.items() for part in pair]
        return [self.namespace, self.name, *named, {"stat": self.statistic, **look}]


def of_queue(
    metric: AwsMetric, url: pulumi.Output[str], statistic: Statistic = "Maximum"
) -> Metric:
    """Return a metric of the queue with this URL."""
    name = url.apply(lambda known: known.rpartition("/")[2])
    return Metric.of_aws(metric, statistic, QueueName=name)
