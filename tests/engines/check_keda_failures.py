"""What real KEDA does when it cannot read all that it asks.

Collected by `make engine-keda` alone.
"""

from collections.abc import Callable
from typing import Any

from tests.engines.keda.queues import Queues
from tests.engines.keda.workload import Start
from tests.engines.processes import eventually

Change = Callable[[dict[str, Any]], None]
_BEHAVIORS = ("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower")


def test_an_outage_of_sqs_takes_no_replica_and_adds_none(start: Start) -> None:
    workload = start().taken()
    workload.send(5)
    workload.reaches(5)

    workload.fail()

    workload.stays(5, seconds=20)  # four times the cooldown


def test_an_outage_while_asleep_wakes_nobody(start: Start) -> None:
    workload = start().taken()

    workload.fail()

    workload.stays(0, seconds=15)


def test_what_goes_idle_in_an_outage_sleeps_a_cooldown_after_the_outage(start: Start) -> None:
    workload = start().taken()
    workload.send(1)
    workload.reaches(1)
    workload.fail()
    workload.send(0)
    workload.stays(1, seconds=15)

    workload.recover()

    workload.stays(1, seconds=3)
    workload.reaches(0)


def test_one_failing_queue_of_three_freezes_a_deployment_that_is_awake(start: Start) -> None:
    workload = start().taken()
    workload.send(3)
    workload.reaches(3)

    workload.fail(2)
    eventually(lambda: workload.condition("Fallback") == "True", 30, "the fallback")
    workload.send(9)
    workload.stays(3, seconds=15)
    workload.recover()

    workload.reaches(9)


def test_one_failing_queue_of_three_keeps_a_deployment_asleep(start: Start) -> None:
    workload = start().taken()

    workload.fail(2)
    workload.send(9)

    workload.stays(0, seconds=15)


def _falling_back(behavior: str) -> Change:
    def change(spec: dict[str, Any]) -> None:
        spec["fallback"] |= {"behavior": behavior, "replicas": 2}

    return change


def test_each_kind_of_fallback_gives_the_replicas_of_our_model(start: Start) -> None:
    workloads = {each: start(change=_falling_back(each)).taken() for each in _BEHAVIORS}
    for workload in workloads.values():
        workload.send(5)
    for workload in workloads.values():
        workload.reaches(5)

    for workload in workloads.values():
        workload.fail()

    wanted = {
        "static": 2,
        "currentReplicas": 5,
        "currentReplicasIfHigher": 5,
        "currentReplicasIfLower": 2,
    }
    for behavior, workload in workloads.items():
        workload.reaches(wanted[behavior])


def test_a_fallback_to_more_than_nothing_wakes_what_is_asleep(start: Start) -> None:
    workloads = {each: start(change=_falling_back(each)).taken() for each in _BEHAVIORS}

    for workload in workloads.values():
        workload.fail()

    workloads["static"].reaches(2)
    workloads["currentReplicasIfHigher"].reaches(2)
    workloads["currentReplicas"].stays(0)
    workloads["currentReplicasIfLower"].stays(0)


def test_without_a_fallback_an_outage_changes_nothing_and_one_to_nothing_ends_in_zero(
    start: Start,
) -> None:
    def without(spec: dict[str, Any]) -> None:
        del spec["fallback"]

    def to_nothing(spec: dict[str, Any]) -> None:
        spec["fallback"] |= {"behavior": "static", "replicas": 0}

    none, nothing = start(change=without).taken(), start(change=to_nothing).taken()
    for workload in (none, nothing):
        workload.send(1)
    for workload in (none, nothing):
        workload.reaches(1)

    for workload in (none, nothing):
        workload.fail()

    nothing.reaches(0)
    none.stays(1, seconds=15)


def _forgiving(spec: dict[str, Any]) -> None:
    """Let the formula go on without what cannot be read."""
    spec["fallback"]["behavior"] = "scalingModifiers"
    formula = spec["advanced"]["scalingModifiers"]["formula"]
    for lane in ("p0", "p1", "p2"):
        formula = formula.replace(lane, f"({lane} ?? 0)")
    spec["advanced"]["scalingModifiers"]["formula"] = formula


def test_with_question_marks_in_the_formula_one_failing_queue_stops_no_other(start: Start) -> None:
    awake, asleep = start(change=_forgiving).taken(), start(change=_forgiving).taken()
    awake.send(3)
    awake.reaches(3)

    for workload in (awake, asleep):
        workload.fail(2)
        workload.send(9)

    awake.reaches(9)
    asleep.reaches(9)


def test_with_question_marks_an_outage_of_all_queues_counts_as_no_demand(start: Start) -> None:
    workload = start(change=_forgiving).taken()
    workload.send(2)
    workload.reaches(2)

    workload.fail()

    workload.reaches(0)  # with two messages waiting


def test_a_formula_that_comes_to_nothing_gives_the_replicas_of_the_fallback(start: Start) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["fallback"] |= {"behavior": "scalingModifiers", "replicas": 2}
        spec["advanced"]["scalingModifiers"]["formula"] = "p0 ?? p1 ?? p2"

    workload = start(change=change).taken()
    workload.send(3)
    workload.reaches(3)

    workload.fail()

    workload.reaches(2)


def _with_service(queues: Queues, *, forgiving: bool) -> Change:
    """Add to the formula what a service says, as the stack would for calls that wait."""

    def change(spec: dict[str, Any]) -> None:
        metadata = {
            "url": f"{queues.url}/metrics",
            "valueLocation": "calls",
            "targetValue": "1",
        }
        spec["triggers"].append({"type": "metrics-api", "name": "sync", "metadata": metadata})
        if forgiving:
            _forgiving(spec)
        modifiers = spec["advanced"]["scalingModifiers"]
        sync = "(sync ?? 0)" if forgiving else "sync"
        modifiers["formula"] = f"max({modifiers['formula']}, {sync})"

    return change


def test_a_metrics_service_counts_in_a_formula_while_it_is_there(
    start: Start, queues: Queues
) -> None:
    workload = start(change=_with_service(queues, forgiving=False)).taken()
    queues.calls = 2

    workload.reaches(2)
    queues.calls = 0


def test_a_metrics_service_that_is_away_freezes_what_a_plain_formula_scales(
    start: Start, queues: Queues
) -> None:
    change = _with_service(queues, forgiving=False)
    awake, asleep = start(change=change).taken(), start(change=change).taken()
    awake.send(2)
    awake.reaches(2)

    queues.calls = None
    eventually(lambda: awake.condition("Fallback") == "True", 30, "the fallback")
    awake.send(9)
    asleep.send(9)

    awake.stays(2, seconds=15)
    asleep.stays(0)
    queues.calls = 0
    awake.reaches(9)
    asleep.reaches(9)


def test_a_metrics_service_that_is_away_stops_no_queue_where_the_formula_has_question_marks(
    start: Start, queues: Queues
) -> None:
    change = _with_service(queues, forgiving=True)
    awake, asleep, idle = (start(change=change).taken() for _ in range(3))
    awake.send(2)
    awake.reaches(2)

    queues.calls = None
    awake.send(9)
    asleep.send(9)

    awake.reaches(9)
    asleep.reaches(9)
    idle.stays(0)
    queues.calls = 0


def test_forced_activation_wakes_a_deployment_whose_queues_cannot_be_read(start: Start) -> None:
    workload = start().taken()
    workload.fail()
    workload.stays(0)

    workload.annotate(force_activation="true")

    workload.reaches(1)
