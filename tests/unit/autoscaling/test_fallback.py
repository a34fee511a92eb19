"""What becomes of replicas when KEDA cannot read the queues."""

import pytest

from penstock.autoscaling.rules import ScalingRules
from tests.unit.autoscaling.tracing import rules_of, trace


def with_fallback(**changes: object) -> ScalingRules:
    spec = rules_of(max_replica=8).model_dump(by_alias=True, mode="json")
    spec["fallback"] |= changes
    return ScalingRules.of(spec)


def test_an_outage_of_sqs_takes_no_replica_and_adds_none() -> None:
    def load(now: float) -> float | None:
        return None if 60 <= now < 7_200 else 5

    assert trace(rules_of(max_replica=8), load, until=7_300) == {0: 1, 15: 5}


def test_an_outage_while_asleep_wakes_nobody() -> None:
    # The HPA is off at zero, and KEDA falls back to the replicas that there are.
    assert trace(rules_of(max_replica=8), lambda _: None, until=7_200) == {}


def test_what_goes_idle_in_an_outage_sleeps_a_cooldown_after_the_outage() -> None:
    def load(now: float) -> float | None:
        return 1 if now < 60 else None if now < 3_600 else 0

    # Replicas that a fallback holds count as demand.
    assert trace(rules_of(max_replica=8), load, until=7_200) == {0: 1, 3_585 + 900: 0}


@pytest.mark.parametrize(
    ("behavior", "changes"),
    [
        ("currentReplicasIfHigher", {45: 1, 60: 3}),
        ("currentReplicas", {}),
        ("static", {45: 1, 60: 3}),
        ("currentReplicasIfLower", {}),
    ],
)
def test_a_fallback_to_more_than_nothing_wakes_what_is_asleep(
    behavior: str, changes: dict[float, int]
) -> None:
    rules = with_fallback(replicas=3, behavior=behavior)

    assert trace(rules, lambda _: None, until=1_200) == changes


def test_an_outage_suspends_no_bound() -> None:
    rules = rules_of(min_replica=3, max_replica=8)

    assert trace(rules, lambda _: None, until=600, replicas=2) == {0: 3}
    assert trace(rules, lambda _: None, until=600, replicas=9) == {0: 8}


@pytest.mark.parametrize(
    ("behavior", "changes"),
    [
        ("currentReplicasIfHigher", {}),
        ("currentReplicas", {}),
        ("static", {45 + 900: 3}),
        ("currentReplicasIfLower", {45 + 900: 3}),
    ],
)
def test_fewer_replicas_than_there_are_is_a_step_down_like_any_other(
    behavior: str, changes: dict[float, int]
) -> None:
    # Three failures are borne, 15 s apart; the fourth falls back, and begins the delay.
    rules = with_fallback(replicas=3, behavior=behavior)

    assert trace(rules, lambda _: None, until=1_200, replicas=6) == changes


@pytest.mark.parametrize(
    ("behavior", "changes"),
    [
        ("currentReplicasIfHigher", {45: 6}),
        ("currentReplicas", {}),
        ("static", {45: 6}),
        ("currentReplicasIfLower", {}),
    ],
)
def test_more_replicas_than_there_are_come_once_the_threshold_is_passed(
    behavior: str, changes: dict[float, int]
) -> None:
    rules = with_fallback(replicas=6, behavior=behavior)

    assert trace(rules, lambda _: None, until=1_200, replicas=2) == changes


def test_one_look_that_succeeds_starts_the_count_anew() -> None:
    def load(now: float) -> float | None:
        return 2 if now % 60 == 45 else None

    assert trace(with_fallback(replicas=6), load, until=600, replicas=2) == {}


def test_a_fallback_to_nothing_ends_in_zero() -> None:
    rules = with_fallback(replicas=0, behavior="static")

    assert trace(rules, lambda _: None, until=1_200, replicas=2) == {900: 0}


def test_without_a_fallback_nothing_changes() -> None:
    spec = rules_of(max_replica=8).model_dump(by_alias=True, mode="json")
    rules = ScalingRules.of({**spec, "fallback": None})

    assert trace(rules, lambda _: None, until=7_200, replicas=2) == {}
