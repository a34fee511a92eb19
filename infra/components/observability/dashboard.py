"""One page on which a stack is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.observability.deployment_row import WatchedDeployment, deployment_rows
from infra.components.observability.metric import AwsMetric, Metric, of_queue
from infra.components.observability.widgets import Graph, Text, in_rows
from penstock.contracts.observability.metric_names import FunctionMetric, WorkerMetric

MOST_DEPLOYMENTS = 80
"""CloudWatch draws 500 widgets and 2,500 metrics on one page."""


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """What the dashboard needs to know."""

    stack: str
    region: str
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    succeeded_topic: pulumi.Output[str]
    failed_topic: pulumi.Output[str]
    webhook_dead_letter_queue_url: pulumi.Output[str]
    deployments: Sequence[WatchedDeployment]
    sees_workers: bool
    """Whether a collector brings the metrics of workers and GPUs."""


class Dashboard(pulumi.ComponentResource):
    """`penstock-<stack>`: the pipeline, then each deployment."""

    def __init__(
        self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:observability:Dashboard", name, {}, opts)
        body = pulumi.Output.json_dumps({"widgets": in_rows(_rows(args))})
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-page",
            dashboard_name=f"penstock-{args.stack}",
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": dashboard.dashboard_name})


def _rows(args: DashboardArgs) -> list[list[Graph | Text]]:
    shown = args.deployments[:MOST_DEPLOYMENTS]
    rows: list[list[Graph | Text]] = [
        [Text(f"# Penstock {args.stack}: what each alarm wants is in docs/operations.md")],
        [_calls(args), _ends(args), _webhooks(args), _sweeper(args)],
    ]
    if args.sees_workers and (cost := _cost(args, shown)):
        rows.append([cost])
    for deployment in shown:
        rows.append([Text(f"## {deployment.deployment_id}")])
        rows += [
            [*row]
            for row in deployment_rows(
                args.stack, args.region, deployment, sees_workers=args.sees_workers
            )
        ]
    if left := len(args.deployments) - len(shown):
        rows.append([Text(f"{left} more deployments do not fit on this page")])
    return rows


def _calls(args: DashboardArgs) -> Graph:
    of_stage = {"ApiName": args.api_name, "Stage": args.stage_name}
    return Graph(
        title="Calls of the API",
        region=args.region,
        lines={
            "calls": Metric.of_aws(AwsMetric.API_CALLS, "Sum", **of_stage),
            "4xx": Metric.of_aws(AwsMetric.API_REFUSED, "Sum", **of_stage),
            "5xx": Metric.of_aws(AwsMetric.API_FAILED, "Sum", **of_stage),
            "requests accepted": _counted(args, "intake", FunctionMetric.REQUESTS_ACCEPTED),
        },
    )


def _ends(args: DashboardArgs) -> Graph:
    def published(topic: pulumi.Output[str]) -> Metric:
        name = topic.apply(lambda arn: arn.rpartition(":")[2])
        return Metric.of_aws(AwsMetric.PUBLISHED, "Sum", TopicName=name)

    return Graph(
        title="Requests that ended",
        region=args.region,
        lines={
            "succeeded": published(args.succeeded_topic),
            "failed or expired": published(args.failed_topic),
            "expired, by the sweeper": _counted(
                args, "sweeper", FunctionMetric.REQUESTS_SWEPT_EXPIRED
            ),
        },
    )


def _webhooks(args: DashboardArgs) -> Graph:
    seen = {
        "delivered": FunctionMetric.WEBHOOKS_DELIVERED,
        "to be repeated": FunctionMetric.WEBHOOKS_DELAYED,
        "without a secret": FunctionMetric.WEBHOOKS_UNSIGNED,
        "held back": FunctionMetric.WEBHOOKS_DEFERRED,
        "given up": FunctionMetric.WEBHOOKS_EXHAUSTED,
        "receiver gone": FunctionMetric.WEBHOOKS_GONE,
        "forbidden": FunctionMetric.WEBHOOKS_FORBIDDEN,
    }
    kept = of_queue(AwsMetric.VISIBLE, args.webhook_dead_letter_queue_url)
    lines = {label: _counted(args, "webhooks", metric) for label, metric in seen.items()}
    return Graph(title="Webhooks", region=args.region, lines=lines | {"dead letters": kept})


def _sweeper(args: DashboardArgs) -> Graph:
    seen = {
        "sweeps": FunctionMetric.SWEEPS,
        "steps that failed": FunctionMetric.SWEEP_STEPS_FAILED,
        "requests given up": FunctionMetric.REQUESTS_SWEPT_FAILED,
    }
    lines = {label: _counted(args, "sweeper", metric) for label, metric in seen.items()}
    return Graph(title="Sweeper", region=args.region, lines=lines)


def _cost(args: DashboardArgs, shown: Sequence[WatchedDeployment]) -> Graph | None:
    priced = [one for one in shown if one.usd_per_worker_hour is not None]
    if not priced:
        return None
    workers = {
        f"w{index}": Metric.of_workers(
            args.stack, one.deployment_id, WorkerMetric.IN_FLIGHT, "SampleCount"
        )
        for index, one in enumerate(priced)
    }
    terms = [
        f"FILL({id_}, 0) / (PERIOD({id_}) / 60) * {one.usd_per_worker_hour:.4f}"
        for id_, one in zip(workers, priced, strict=True)
    ]
    return Graph(
        title="What workers cost, USD by the hour: list prices, on machines that are full",
        region=args.region,
        hidden=workers,
        formulas=_sums(terms),
    )


def _sums(terms: Sequence[str]) -> Mapping[str, str]:
    """Return the terms as few sums: an expression ends at 1,024 characters."""
    at_a_time = 16
    if len(terms) <= at_a_time:
        return {"all deployments": " + ".join(terms)}
    return {
        f"deployments {start + 1} to {min(start + at_a_time, len(terms))}": " + ".join(
            terms[start : start + at_a_time]
        )
        for start in range(0, len(terms), at_a_time)
    }


def _counted(args: DashboardArgs, function: str, metric: FunctionMetric) -> Metric:
    return Metric.of_function(args.stack, function, metric)
