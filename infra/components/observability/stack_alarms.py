"""Alarms of what all deployments of a stack share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.components.observability.alarm import Alarm, declare_alarm, total
from infra.components.observability.metric import AwsMetric, Metric, of_queue
from infra.settings.observability_settings import AlarmSettings
from penstock.contracts.observability.metric_names import FunctionMetric

METRICS_OF_A_STACK = 8
"""What the alarms look at, which is what they are paid for."""

_FEW = 5
"""Failures below this number are no rate."""

_FAILED_API_PERCENT = 1


@dataclass(frozen=True, kw_only=True)
class StackAlarmsArgs:
    """What the alarms need to know."""

    stack: str
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    sweeper_name: pulumi.Input[str]
    webhook_dead_letter_queue_url: pulumi.Output[str]
    settings: AlarmSettings
    receivers: Sequence[pulumi.Input[str]]


class StackAlarms(pulumi.ComponentResource):
    """API, sweeper and webhooks."""

    def __init__(
        self, name: str, args: StackAlarmsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:observability:StackAlarms", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        declared = {
            kind: declare_alarm(f"{name}-{kind}", alarm, args.receivers, child).arn
            for kind, alarm in _alarms(args).items()
        }
        self.register_outputs({"arns": declared})


def _alarms(args: StackAlarmsArgs) -> Mapping[str, Alarm]:
    return {
        "api": _api(args),
        "sweeper": _sweeper(args),
        "webhooks": _webhooks(args),
        "lost-webhooks": _lost_webhooks(args),
    }


def _api(args: StackAlarmsArgs) -> Alarm:
    of_stage = {"ApiName": args.api_name, "Stage": args.stage_name}
    return Alarm(
        text=f"Stack {args.stack}: the API answers 5xx to more than {_FAILED_API_PERCENT} % of"
        " calls. Look into the functions' logs for `call failed`.",
        runbook="alarm-the-api-fails",
        metrics={
            "failed": Metric.of_aws(AwsMetric.API_FAILED, "Sum", **of_stage),
            "calls": Metric.of_aws(AwsMetric.API_CALLS, "Sum", **of_stage),
        },
        expression=f"IF(failed >= {_FEW}, 100 * failed / calls, 0)",
        threshold=_FAILED_API_PERCENT,
        period_minutes=5,
        periods=2,
    )


def _sweeper(args: StackAlarmsArgs) -> Alarm:
    named = {"FunctionName": args.sweeper_name}
    return Alarm(
        text=f"Stack {args.stack}: no sweep has succeeded for five minutes. Nothing is lost, but"
        " requests expire late. Look into the sweeper's log.",
        runbook="alarm-the-sweeper-fails",
        metrics={
            "sweeps": Metric.of_aws(AwsMetric.INVOCATIONS, "Sum", **named),
            "errors": Metric.of_aws(AwsMetric.ERRORS, "Sum", **named),
        },
        expression="FILL(sweeps, 0) - FILL(errors, 0)",
        comparison="LessThanThreshold",
        threshold=1,
        periods=5,
        without_data="breaching",
    )


def _webhooks(args: StackAlarmsArgs) -> Alarm:
    def counted(metric: FunctionMetric) -> Metric:
        return Metric.of_function(args.stack, "webhooks", metric)

    failed, percent = total(["delayed", "exhausted"]), args.settings.webhook_failure_percent
    return Alarm(
        text=f"Stack {args.stack}: more than {percent} % of attempts to deliver webhooks fail. See"
        " `webhook attempted` in the function's log for the receivers' answers.",
        runbook="alarm-webhooks-fail",
        metrics={
            "delivered": counted(FunctionMetric.WEBHOOKS_DELIVERED),
            "delayed": counted(FunctionMetric.WEBHOOKS_DELAYED),
            "exhausted": counted(FunctionMetric.WEBHOOKS_EXHAUSTED),
        },
        expression=f"IF({failed} >= {_FEW}, 100 * ({failed}) / ({failed} + FILL(delivered, 0)), 0)",
        threshold=percent,
        period_minutes=15,
        periods=2,
    )


def _lost_webhooks(args: StackAlarmsArgs) -> Alarm:
    lying = of_queue(AwsMetric.VISIBLE, args.webhook_dead_letter_queue_url)
    return Alarm(
        text=f"Stack {args.stack}: webhooks were given up. Their results are kept: run"
        f" `penstock webhooks redeliver --all-failed --stack {args.stack}` when the receiver is"
        " back.",
        runbook="alarm-webhooks-were-given-up",
        metrics={"lying": lying},
        expression="FILL(lying, 0)",
        period_minutes=5,
        periods=1,
    )
