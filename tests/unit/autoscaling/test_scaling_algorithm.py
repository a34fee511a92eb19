from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.autoscaling.algorithm import HPA_SYNC_SECONDS, ScalerState, step
from penstock.autoscaling.rules import ScalingRules
from penstock.autoscaling.settings import AutoscalingSettings
from tests.unit.autoscaling.tracing import rules_of, trace


def with_behavior(rules: ScalingRules, direction: str, **changes: Any) -> ScalingRules:
    spec = rules.model_dump(by_alias=True, mode="json")
    spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"][direction] |= changes
    return ScalingRules.of(spec)


@pytest.mark.spec("baseten", 41)
def test_a_burst_is_met_within_a_minute_and_given_back_by_halves() -> None:
    rules = rules_of(max_replica=20, target_utilization_percentage=70)

    def load(now: float) -> float:
        return 10 if now <= 150 else 1 if now <= 3_000 else 0

    assert trace(rules, load, until=5_000) == {
        0: 1,
        15: 5,
        30: 10,
        45: 15,
        1_050: 7,
        1_950: 3,
        2_850: 2,
        3_900: 0,
    }


@pytest.mark.parametrize(
    ("start", "steps"), [(16, [8, 4, 2, 1]), (5, [2, 1]), (20, [10, 5, 2, 1]), (3, [1])]
)
def test_halving_truncates_as_kubernetes_does(start: int, steps: list[int]) -> None:
    # One waiting request is demand: it keeps the last replica, and the HPA in charge.
    changes = trace(rules_of(max_replica=20), lambda _: 1, until=7_200, replicas=start)

    assert list(changes.values()) == steps
    assert all(later - earlier == 900 for earlier, later in pairwise(changes))


def test_the_scale_down_rate_bounds_each_step() -> None:
    rules = rules_of(max_replica=20, max_scale_down_rate=20, scale_down_delay=60)

    changes = trace(rules, lambda _: 1, until=360, replicas=10)

    assert changes == {60: 8, 120: 6, 180: 4, 240: 3, 300: 2, 360: 1}


def test_returning_demand_restarts_the_delay() -> None:
    rules = rules_of(max_replica=20, scale_down_delay=300)

    def load(now: float) -> float:
        return 8 if now in (0, 240) else 1

    assert trace(rules, load, until=600, replicas=8) == {540: 4}


def test_the_21st_message_starts_the_21st_replica() -> None:
    rules = rules_of(max_replica=30)

    assert trace(rules, lambda _: 21, until=0, replicas=20) == {0: 21}


def test_with_kubernetes_own_tolerance_the_21st_message_starts_none() -> None:
    rules = with_behavior(rules_of(max_replica=30), "scaleUp", tolerance=0.1)

    assert trace(rules, lambda _: 21, until=600, replicas=20) == {}
    assert trace(rules, lambda _: 23, until=0, replicas=20) == {0: 23}


def test_one_request_at_seventy_percent_asks_for_a_second_replica() -> None:
    costly = rules_of(max_replica=4, target_utilization_percentage=70)

    assert trace(costly, lambda _: 1, until=60) == {0: 1, 15: 2}
    assert trace(rules_of(max_replica=4), lambda _: 1, until=60) == {0: 1}


def test_concurrent_requests_share_a_replica() -> None:
    rules = rules_of(max_replica=8, concurrency_target=4)

    assert trace(rules, lambda _: 9, until=60) == {0: 1, 15: 3}


def test_a_window_lets_only_lasting_demand_add_replicas() -> None:
    rules = rules_of(max_replica=8, autoscaling_window=60)

    def blip(now: float) -> float:
        return 8 if now == 60 else 1

    assert trace(rules, blip, until=600, replicas=1) == {}
    assert trace(rules, lambda now: 1 if now < 60 else 4, until=600, replicas=1) == {105: 4}


@pytest.mark.spec("baseten", 41)
def test_the_last_replica_goes_one_cooldown_after_the_last_message() -> None:
    rules = rules_of(max_replica=4, scale_down_delay=60)

    assert trace(rules, lambda now: 1 if now <= 10 else 0, until=100, sync_seconds=1) == {
        0: 1,
        70: 0,
    }


def test_a_fresh_deployment_keeps_its_first_replica_for_one_cooldown() -> None:
    rules = rules_of(max_replica=4, scale_down_delay=60)

    assert trace(rules, lambda _: 0, until=100, replicas=1, sync_seconds=1) == {60: 0}


def test_a_floor_is_reached_at_once_and_never_left() -> None:
    rules = rules_of(min_replica=2, max_replica=4, scale_down_delay=60)

    assert trace(rules, lambda _: 0, until=600) == {0: 2}


def test_replicas_outside_the_bounds_are_brought_back_at_once() -> None:
    rules = rules_of(min_replica=2, max_replica=4)

    assert trace(rules, lambda _: 10, until=0, replicas=9) == {0: 4}
    assert trace(rules, lambda _: 10, until=0, replicas=1) == {0: 2}


@pytest.mark.parametrize(("policy", "reached"), [("Max", 5), ("Min", 2), ("Disabled", 1)])
def test_the_select_policy_chooses_among_the_limits(policy: str, reached: int) -> None:
    rules = with_behavior(rules_of(max_replica=20), "scaleUp", selectPolicy=policy)

    assert trace(rules, lambda _: 20, until=0, replicas=1).get(0, 1) == reached


@pytest.mark.parametrize(("policy", "reached"), [("Max", 4), ("Min", 5), ("Disabled", 8)])
def test_the_select_policy_chooses_on_the_way_down_too(policy: str, reached: int) -> None:
    policies = [
        {"type": "Percent", "value": 50, "periodSeconds": 60},
        {"type": "Pods", "value": 3, "periodSeconds": 60},
    ]
    rules = with_behavior(
        rules_of(max_replica=20, scale_down_delay=0),
        "scaleDown",
        selectPolicy=policy,
        policies=policies,
    )

    assert trace(rules, lambda _: 1, until=0, replicas=8).get(0, 8) == reached


def test_faster_steps_reach_the_same_replicas() -> None:
    rules = rules_of(max_replica=20)

    assert trace(rules, lambda _: 15, until=60, sync_seconds=1) == {0: 1, 1: 5, 16: 10, 31: 15}


loads = st.lists(st.integers(0, 60), min_size=1, max_size=60)


@given(
    loads=loads,
    settings=st.builds(
        AutoscalingSettings,
        min_replica=st.integers(0, 3),
        max_replica=st.integers(3, 40),
        scale_down_delay=st.sampled_from([0, 15, 60, 300]),
        max_scale_down_rate=st.integers(1, 50),
        autoscaling_window=st.sampled_from([0, 30]),
    ),
)
def test_no_history_leaves_the_bounds_or_outruns_the_policies(
    loads: list[int], settings: AutoscalingSettings
) -> None:
    rules = rules_of(**settings.model_dump())
    state, replicas = ScalerState(created_at=0), settings.min_replica
    for tick, load in enumerate(loads):
        metrics = {"p0": float(load), "p1": 0.0, "p2": 0.0}
        wanted, state = step(rules, state, now=tick * 15.0, replicas=replicas, metrics=metrics)
        fewest = int(replicas * (1 - settings.max_scale_down_rate / 100))
        assert settings.min_replica <= wanted <= settings.max_replica
        assert wanted <= max(replicas * 2, replicas + 4, 1)
        assert wanted >= fewest or (wanted == 0 and load == 0)
        assert load == 0 or wanted > 0
        replicas = wanted


@given(loads=loads, min_replica=st.integers(0, 3))
def test_idleness_ends_at_the_least_replicas(loads: list[int], min_replica: int) -> None:
    rules = rules_of(min_replica=min_replica, max_replica=40, scale_down_delay=30)
    busy = len(loads) * HPA_SYNC_SECONDS

    def load(now: float) -> float:
        return loads[int(now / HPA_SYNC_SECONDS)] if now < busy else 0

    changes = trace(rules, load, until=busy + 600)

    assert [min_replica, *changes.values()][-1] == min_replica


@pytest.mark.spec("baseten", 41)
@given(lasting=st.integers(1, 40))
def test_lasting_demand_is_met_exactly(lasting: int) -> None:
    changes = trace(rules_of(max_replica=40), lambda _: lasting, until=120)

    assert list(changes.values())[-1] == lasting
