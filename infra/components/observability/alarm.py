"""How every alarm is declared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.components.observability.metric import Metric

_RUNBOOK = "docs/operations.md"
_SECONDS_PER_MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """When to call somebody, and what to tell them."""

    text: str
    """What is wrong, and what to do first."""

    runbook: str
    """The heading of `docs/operations.md` that says more, as an anchor."""

    metrics: Mapping[str, Metric]
    """By the names that `expression` knows them under."""

    expression: str
    """What is compared; missing numbers are filled in here."""

    comparison: Literal["GreaterThanThreshold", "LessThanThreshold"] = "GreaterThanThreshold"
    threshold: float = 0
    period_minutes: int = 1
    periods: int
    """For how many in a row."""

    without_data: Literal["notBreaching", "breaching"] = "notBreaching"


def declare_alarm(
    name: str,
    alarm: Alarm,
    receivers: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    """Declare an alarm that tells `receivers` when it goes off, and when it is over."""
    period = alarm.period_minutes * _SECONDS_PER_MINUTE
    queries: list[aws.cloudwatch.MetricAlarmMetricQueryArgsDict] = [
        {"id": id_, "metric": metric.for_alarm(period), "return_data": False}
        for id_, metric in alarm.metrics.items()
    ]
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=f"{alarm.text} Runbook: {_RUNBOOK}#{alarm.runbook}",
        metric_queries=[
            *queries,
            {"id": "compared", "expression": alarm.expression, "return_data": True},
        ],
        comparison_operator=alarm.comparison,
        threshold=alarm.threshold,
        evaluation_periods=alarm.periods,
        datapoints_to_alarm=alarm.periods,
        treat_missing_data=alarm.without_data,
        alarm_actions=list(receivers),
        ok_actions=list(receivers),
        opts=opts,
    )


def total(ids: Sequence[str]) -> str:
    """Return the sum of some metrics, where one that says nothing counts as 0."""
    return " + ".join(f"FILL({id_}, 0)" for id_ in ids)
