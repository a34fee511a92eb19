"""What KEDA and the HPA make of a ScaledObject: pure functions, state in and state out.

KEDA alone moves between zero and the first replica; the HPA moves between there and the maximum.
Follows KEDA 2.20 (`pkg/scaling/executor`, `pkg/fallback`) and Kubernetes 1.35
(`pkg/controller/podautoscaler`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from penstock.autoscaling.rules import ScalingPolicy, ScalingRules

HPA_SYNC_SECONDS = 15.0
"""How often a cluster takes a step; EKS does not let it be changed."""


@dataclass(frozen=True)
class Recommendation:
    """What the metric asked for at a moment, before any limit."""

    at: float
    replicas: int


@dataclass(frozen=True)
class Rescale:
    """What the HPA changed at a moment; negative where it removed replicas."""

    at: float
    change: int


@dataclass(frozen=True, kw_only=True)
class ScalerState:
    """What is remembered from step to step. Times are seconds on any clock, always the same."""

    created_at: float
    last_active_at: float | None = None
    failures: int = 0
    """Steps in a row whose metrics could not be read."""

    recommendations: tuple[Recommendation, ...] = ()
    rescales: tuple[Rescale, ...] = ()


def step(
    rules: ScalingRules,
    state: ScalerState,
    *,
    now: float,
    replicas: int,
    metrics: Mapping[str, float] | None,
) -> tuple[int, ScalerState]:
    """Return the replicas to have from `now` on, and the state for the next step.

    Args:
        rules: the ScaledObject to follow.
        state: what the last step returned.
        now: the current time.
        replicas: how many there are.
        metrics: the value of each trigger that the formula names; None if one was not readable.
    """
    if metrics is None:
        return _unmeasured(rules, replace(state, failures=state.failures + 1), now, replicas)
    state = replace(state, failures=0)
    return _measured(rules, state, now, replicas, rules.formula.value(metrics))


def _unmeasured(
    rules: ScalingRules, state: ScalerState, now: float, replicas: int
) -> tuple[int, ScalerState]:
    fallback = rules.fallback
    if fallback and state.failures > fallback.failure_threshold:
        # To KEDA a metric like any other: it wakes from zero, and puts the cooldown off.
        target = rules.advanced.scaling_modifiers.target
        metric = target * fallback.replicas_from(replicas)
        return _measured(rules, state, now, replicas, metric)
    if replicas == 0:  # the HPA is off, and KEDA starts nothing for a trigger that it cannot read
        return replicas, state
    may_end = fallback and fallback.replicas == 0 and rules.min_replica_count == 0
    if may_end and _is_cool(rules, state, now):
        return 0, state
    return _resized(rules, state, now, replicas, None)


def _measured(
    rules: ScalingRules, state: ScalerState, now: float, replicas: int, metric: float
) -> tuple[int, ScalerState]:
    active = metric > rules.advanced.scaling_modifiers.activation_target
    if active:
        state = replace(state, last_active_at=now)
    if replicas == 0:
        return max(rules.min_replica_count, int(active)), state
    if not active and rules.min_replica_count == 0 and _is_cool(rules, state, now):
        return 0, state
    return _resized(rules, state, now, replicas, metric)


def _is_cool(rules: ScalingRules, state: ScalerState, now: float) -> bool:
    if state.last_active_at is None:
        return now >= state.created_at + rules.initial_cooldown_period
    return now >= state.last_active_at + rules.cooldown_period


def _resized(
    rules: ScalingRules, state: ScalerState, now: float, replicas: int, metric: float | None
) -> tuple[int, ScalerState]:
    lowest = max(1, rules.min_replica_count)
    bounded = min(max(replicas, lowest), rules.max_replica_count)
    if bounded != replicas:
        return _rescaled(rules, state, now, replicas, bounded)
    if metric is None:
        return replicas, state
    if not state.recommendations:
        state = replace(state, recommendations=(Recommendation(now, replicas),))
    recommended = _recommended(rules, replicas, metric)
    wanted = _stabilized(rules, state, now, replicas, recommended)
    state = _remembering(rules, state, Recommendation(now, recommended))
    if wanted > replicas:
        ceiling = _ceiling(rules, state, now, replicas)
        wanted = min(wanted, ceiling, rules.max_replica_count)
    elif wanted < replicas:
        wanted = max(wanted, _floor(rules, state, now, replicas), lowest)
    return _rescaled(rules, state, now, replicas, wanted)


def _recommended(rules: ScalingRules, replicas: int, metric: float) -> int:
    target = rules.advanced.scaling_modifiers.target
    ratio = metric / (target * replicas)
    behavior = rules.behavior
    if 1 - behavior.scale_down.tolerance <= ratio <= 1 + behavior.scale_up.tolerance:
        return replicas
    return math.ceil(metric / target)


def _stabilized(
    rules: ScalingRules, state: ScalerState, now: float, replicas: int, recommended: int
) -> int:
    """Go up no further than the lowest, down no further than the highest recent wish."""

    def within(window_seconds: int) -> list[int]:
        recent = [r.replicas for r in state.recommendations if r.at > now - window_seconds]
        return [*recent, recommended]

    lowest = min(within(rules.behavior.scale_up.stabilization_window_seconds))
    highest = max(within(rules.behavior.scale_down.stabilization_window_seconds))
    return min(max(replicas, lowest), highest)


def _ceiling(rules: ScalingRules, state: ScalerState, now: float, replicas: int) -> int:
    direction = rules.behavior.scale_up
    limits = [p.highest(_at_start(p, state, now, replicas)) for p in direction.policies]
    chosen = {"Disabled": replicas, "Max": max(limits), "Min": min(limits)}
    return max(replicas, chosen[direction.select_policy])


def _floor(rules: ScalingRules, state: ScalerState, now: float, replicas: int) -> int:
    direction = rules.behavior.scale_down
    limits = [p.lowest(_at_start(p, state, now, replicas)) for p in direction.policies]
    chosen = {"Disabled": replicas, "Max": min(limits), "Min": max(limits)}
    return min(replicas, chosen[direction.select_policy])


def _at_start(policy: ScalingPolicy, state: ScalerState, now: float, replicas: int) -> int:
    since = now - policy.period_seconds
    return replicas - sum(rescale.change for rescale in state.rescales if rescale.at > since)


def _remembering(
    rules: ScalingRules, state: ScalerState, recommendation: Recommendation
) -> ScalerState:
    behavior = rules.behavior
    since = recommendation.at - max(
        behavior.scale_up.stabilization_window_seconds,
        behavior.scale_down.stabilization_window_seconds,
    )
    recent = (past for past in state.recommendations if past.at > since)
    return replace(state, recommendations=(*recent, recommendation))


def _rescaled(
    rules: ScalingRules, state: ScalerState, now: float, replicas: int, wanted: int
) -> tuple[int, ScalerState]:
    if wanted == replicas:
        return wanted, state
    behavior = rules.behavior
    policies = (*behavior.scale_up.policies, *behavior.scale_down.policies)
    since = now - max(policy.period_seconds for policy in policies)
    recent = (past for past in state.rescales if past.at > since)
    return wanted, replace(state, rescales=(*recent, Rescale(now, wanted - replicas)))
