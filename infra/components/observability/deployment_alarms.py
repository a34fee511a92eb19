"""Alarms of one deployment: by its queues alone, so they hold in any cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.components.observability.alarm import Alarm, declare_alarm, total
from infra.components.observability.metric import AwsMetric, Metric, of_queue
from infra.settings.model_settings import DeploymentSettings
from infra.settings.observability_settings import AlarmSettings

METRICS_OF_A_DEPLOYMENT = 16
"""What the alarms look at, which is what they are paid for."""

_LANES = (0, 1, 2)


@dataclass(frozen=True, kw_only=True)
class DeploymentAlarmsArgs:
    """What the alarms need to know."""

    stack: str
    deployment_id: str
    deployment: DeploymentSettings
    queue_urls: Sequence[pulumi.Output[str]]
    """By priority."""

    dead_letter_queue_url: pulumi.Output[str]
    settings: AlarmSettings
    receivers: Sequence[pulumi.Input[str]]

    @property
    def who(self) -> str:
        """Whose alarm it is."""
        return f"Stack {self.stack}, deployment {self.deployment_id}"

    def lanes(self, prefix: str, metric: AwsMetric) -> dict[str, Metric]:
        """Return a metric of each queue, numbered."""
        return {
            f"{prefix}{lane}": of_queue(metric, url)
            for lane, url in zip(_LANES, self.queue_urls, strict=True)
        }


class DeploymentAlarms(pulumi.ComponentResource):
    """Dead letters, requests that wait for long, too few workers, no worker."""

    def __init__(
        self, name: str, args: DeploymentAlarmsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:observability:DeploymentAlarms", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        declared = {
            kind: declare_alarm(f"{name}-{kind}", alarm, args.receivers, child).arn
            for kind, alarm in _alarms(args).items()
        }
        self.register_outputs({"arns": declared})


def _alarms(args: DeploymentAlarmsArgs) -> Mapping[str, Alarm]:
    return {
        "dead-letters": _dead_letters(args),
        "oldest-request": _oldest_request(args),
        "at-most-workers": _at_most_workers(args),
        "no-worker": _no_worker(args),
    }


def _dead_letters(args: DeploymentAlarmsArgs) -> Alarm:
    return Alarm(
        text=f"{args.who}: requests failed for good and their messages are kept. Run"
        f" `penstock dlq list --stack {args.stack}`, then redrive or drop them.",
        runbook="alarm-dead-letters",
        metrics={"lying": of_queue(AwsMetric.VISIBLE, args.dead_letter_queue_url)},
        expression="FILL(lying, 0)",
        period_minutes=5,
        periods=1,
    )


def _oldest_request(args: DeploymentAlarmsArgs) -> Alarm:
    # SQS counts the age of what is being worked on, too.
    minutes = args.settings.oldest_request_minutes
    seconds = 60 * minutes + args.deployment.predict_timeout_seconds
    ages = ", ".join(f"FILL(age{lane}, 0)" for lane in _LANES)
    return Alarm(
        text=f"{args.who}: a request is older than {minutes} minutes beyond the time that one may"
        " take. Look at the dashboard: do workers work?",
        runbook="alarm-a-request-waits-for-long",
        metrics=args.lanes("age", AwsMetric.AGE),
        expression=f"MAX([{ages}])",
        threshold=seconds,
        periods=5,
    )


def _at_most_workers(args: DeploymentAlarmsArgs) -> Alarm:
    scaling = args.deployment.autoscaling
    most, slots = scaling.max_replica, scaling.max_replica * scaling.concurrency_target
    minutes = args.settings.at_most_workers_minutes
    waiting, held = _all("waiting"), _all("held")
    # The sum that the autoscaler goes by. What is held alone says nothing of workers: a few of
    # them may fetch that many short requests ahead, and what waits for a retry is hidden as well.
    return Alarm(
        text=f"{args.who}: for {minutes} minutes requests wait, and with those that are held they"
        f" are more than {most} workers (max_replica) run at once, which is {slots}. SQS cannot"
        f" tell whether {most} workers are there: run `kubectl get pods -o wide`. If so, raise"
        " max_replica or let fewer requests in; if not, there is no capacity.",
        runbook="alarm-workers-are-at-their-most",
        metrics=args.lanes("waiting", AwsMetric.VISIBLE) | args.lanes("held", AwsMetric.HIDDEN),
        expression=f"IF(({waiting} + {held}) > {slots} AND ({waiting}) > 0, 1, 0)",
        periods=minutes,
    )


def _no_worker(args: DeploymentAlarmsArgs) -> Alarm:
    minutes = args.settings.no_worker_minutes
    return Alarm(
        text=f"{args.who}: requests wait and nobody works on any, for {minutes} minutes. There is"
        " no capacity, or workers do not start: run `kubectl get pods -o wide`.",
        runbook="alarm-no-worker-starts",
        metrics=args.lanes("waiting", AwsMetric.VISIBLE) | args.lanes("held", AwsMetric.HIDDEN),
        expression=f"IF(({_all('waiting')}) > 0 AND ({_all('held')}) == 0, 1, 0)",
        periods=minutes,
    )


def _all(prefix: str) -> str:
    return total([f"{prefix}{lane}" for lane in _LANES])
