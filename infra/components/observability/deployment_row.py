"""What the dashboard shows of one deployment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi

from infra.components.observability.metric import (
    GPU_UTILISATION,
    AwsMetric,
    Metric,
    of_queue,
)
from infra.components.observability.widgets import Graph
from penstock.contracts.observability.metric_names import WorkerMetric

_QUANTILES = ("0.5", "0.95", "0.99")
_ENDS = ("SUCCEEDED", "FAILED", "EXPIRED", "CANCELED")


@dataclass(frozen=True, kw_only=True)
class WatchedDeployment:
    """A deployment that operators look at."""

    deployment_id: str
    queue_urls: Sequence[pulumi.Output[str]]
    """By priority."""

    dead_letter_queue_url: pulumi.Output[str]
    has_gpu: bool
    usd_per_worker_hour: float | None
    """`None` where no price is known."""


def deployment_rows(
    stack: str, region: str, deployment: WatchedDeployment, *, sees_workers: bool
) -> Iterator[list[Graph]]:
    """Yield what waits and for how long; and who works on it, where that is measured."""
    queues = [_waiting(region, deployment), _age(region, deployment)]
    if not sees_workers:
        yield queues
        return
    yield [*queues, _time_in_queue(stack, region, deployment)]
    yield [_workers(stack, region, deployment), _ends(stack, region, deployment)]


def _waiting(region: str, deployment: WatchedDeployment) -> Graph:
    by_lane = {
        f"priority {lane} waits": of_queue(AwsMetric.VISIBLE, url)
        for lane, url in enumerate(deployment.queue_urls)
    }
    held = {f"h{n}": of_queue(AwsMetric.HIDDEN, url) for n, url in enumerate(deployment.queue_urls)}
    dead = of_queue(AwsMetric.VISIBLE, deployment.dead_letter_queue_url)
    return Graph(
        title="Requests in the queues",
        region=region,
        lines=by_lane | {"dead letters": dead},
        hidden=held,
        formulas={"held by workers": f"SUM([{', '.join(held)}])"},
    )


def _age(region: str, deployment: WatchedDeployment) -> Graph:
    ages = {
        f"priority {lane}": of_queue(AwsMetric.AGE, url)
        for lane, url in enumerate(deployment.queue_urls)
    }
    return Graph(title="Age of the oldest request, seconds", region=region, lines=ages)


def _time_in_queue(stack: str, region: str, deployment: WatchedDeployment) -> Graph:
    # Every worker takes from the same queues: the slowest says it for all.
    lines = {
        f"p{float(quantile) * 100:g}": Metric.of_workers(
            stack,
            deployment.deployment_id,
            WorkerMetric.RECENT_TIME_IN_QUEUE,
            "Maximum",
            quantile=quantile,
        )
        for quantile in _QUANTILES
    }
    return Graph(title="Time in queue of the last 5 minutes, seconds", region=region, lines=lines)


def _workers(stack: str, region: str, deployment: WatchedDeployment) -> Graph:
    running = Metric.of_workers(stack, deployment.deployment_id, WorkerMetric.IN_FLIGHT, "Sum")
    hidden = {"running": running, "workers": running.as_statistic("SampleCount")}
    # The collector looks at each worker once a minute; a longer period holds more looks.
    formulas = {
        "in flight": "running / (PERIOD(running) / 60)",
        "workers": "workers / (PERIOD(workers) / 60)",
    }
    lines = {}
    if deployment.has_gpu:
        lines["GPU, %"] = Metric.of_workers(
            stack, deployment.deployment_id, GPU_UTILISATION, "Average"
        )
    return Graph(
        title="Workers and what they run",
        region=region,
        lines=lines,
        hidden=hidden,
        formulas=formulas,
    )


def _ends(stack: str, region: str, deployment: WatchedDeployment) -> Graph:
    lines = {
        state.lower(): Metric.of_workers(
            stack, deployment.deployment_id, WorkerMetric.ENDED, "Sum", state=state
        )
        for state in _ENDS
    }
    return Graph(title="Requests that ended at workers", region=region, lines=lines)
