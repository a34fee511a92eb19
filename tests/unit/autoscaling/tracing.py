"""Follows rules over hours in no time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.autoscaling.algorithm import HPA_SYNC_SECONDS, ScalerState, step
from penstock.autoscaling.rules import CronTrigger, ScalingRules
from penstock.autoscaling.scaled_object import scaled_object
from penstock.autoscaling.settings import AutoscalingSettings

Load = Callable[[float], float | None]
"""The messages of the first lane at a time; None where the queue cannot be read."""

SUMMER_MONDAY = datetime(2026, 6, 1, tzinfo=UTC)


def rules_of(**settings: Any) -> ScalingRules:
    spec = scaled_object(
        AutoscalingSettings(**settings),
        target="m-abc",
        queue_urls=("https://sqs/1/p0", "https://sqs/1/p1", "https://sqs/1/p2"),
        region="eu-west-1",
        authentication="aws",
    )
    return ScalingRules.of(spec)


def trace(  # noqa: PLR0913 - what a trace may start from
    rules: ScalingRules,
    load: Load,
    *,
    until: float,
    replicas: int = 0,
    sync_seconds: float = HPA_SYNC_SECONDS,
    began: datetime = SUMMER_MONDAY,
) -> dict[float, int]:
    """Follow the rules from `began` on; return each change of the replicas by its second."""
    state, changes = ScalerState(created_at=0), {}
    for tick in range(int(until / sync_seconds) + 1):
        now = tick * sync_seconds
        metrics = _measured(rules, load(now), began + timedelta(seconds=now))
        wanted, state = step(rules, state, now=now, replicas=replicas, metrics=metrics)
        if wanted != replicas:
            replicas = changes[now] = wanted
    return changes


def _measured(
    rules: ScalingRules, waiting: float | None, moment: datetime
) -> dict[str, float] | None:
    if waiting is None:
        return None
    scheduled = {t.name: t.value_at(moment) for t in rules.triggers if isinstance(t, CronTrigger)}
    return {"p0": waiting, "p1": 0.0, "p2": 0.0, **scheduled}
