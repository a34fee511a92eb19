"""What real KEDA and a real HPA make of our ScaledObjects, with queues whose depth a test sets.

Collected by `make engine-keda` alone.
"""

import time
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.autoscaling.rules import CronTrigger
from tests.engines.keda.operator import zones_of
from tests.engines.keda.queues import Queues
from tests.engines.keda.workload import Start
from tests.engines.keda.zones import write_zone
from tests.engines.kubernetes.control_plane import ControlPlane
from tests.engines.processes import eventually
from tests.unit.autoscaling.tracing import rules_of, trace

Change = Callable[[dict[str, Any]], None]


def test_one_message_in_any_lane_wakes_a_deployment(start: Start) -> None:
    workloads = [start().taken() for _ in range(3)]
    for workload in workloads:
        workload.stays(0, seconds=3)

    for priority, workload in enumerate(workloads):
        workload.send(1, priority)

    for workload in workloads:
        workload.reaches(1)


def test_messages_of_all_lanes_and_those_in_flight_add_up(start: Start, queues: Queues) -> None:
    workload = start(concurrency_target=2).taken()

    workload.send(3)
    workload.send(4, priority=1)
    queues.in_flight[workload.lane(2)] = 4

    workload.reaches(6)  # 11 messages, two at a time


def test_what_is_only_in_flight_keeps_its_replica(start: Start, queues: Queues) -> None:
    workload = start().taken()
    workload.send(1)
    workload.reaches(1)

    workload.send(0)
    queues.in_flight[workload.lane(0)] = 1

    workload.stays(1, seconds=15)  # three times the cooldown


def test_the_21st_message_starts_the_21st_replica(start: Start) -> None:
    workload = start().taken()
    workload.send(20)
    workload.reaches(20, seconds=60)

    workload.send(21)

    workload.reaches(21)


def test_growth_takes_the_steps_of_our_model(start: Start) -> None:
    workload = start().taken()
    workload.send(12)

    seen = workload.sequence(12, seconds=60)

    model = trace(rules_of(max_replica=40), lambda _: 12, until=120)
    assert seen in ([0, *model.values()], list(model.values()))


def test_shrinking_takes_the_steps_of_our_model(start: Start) -> None:
    workloads = {first: start(scale_down_delay=5).taken() for first in (16, 5)}
    for first, workload in workloads.items():
        workload.send(first)
    for first, workload in workloads.items():
        workload.reaches(first, seconds=60)

    for first, workload in workloads.items():
        workload.send(1)
        model = trace(
            rules_of(max_replica=40, scale_down_delay=5),
            lambda _: 1,
            until=120,
            replicas=first,
            sync_seconds=1,
        )
        assert workload.sequence(1, seconds=90) == [first, *model.values()]


def test_the_last_replica_goes_one_cooldown_after_the_last_message(start: Start) -> None:
    workload = start(scale_down_delay=8).taken()
    workload.send(1)
    workload.reaches(1)

    workload.send(0)
    emptied = time.monotonic()
    eventually(lambda: workload.replicas == 0, 30, "no replica")

    assert 6 <= time.monotonic() - emptied <= 14


def test_a_paused_deployment_stays_as_it_is_and_one_paused_at_a_number_goes_there(
    start: Start,
) -> None:
    workload = start().taken()
    workload.send(2)
    workload.reaches(2)

    workload.annotate(paused="true")
    eventually(lambda: workload.condition("Paused") == "True", 30, "the pause")
    workload.send(6)
    workload.stays(2, seconds=10)
    workload.annotate(paused=None, paused_replicas="4")
    workload.reaches(4)
    workload.annotate(paused_replicas=None)

    workload.reaches(6)


def test_forced_activation_wakes_a_deployment_whose_queues_are_empty(start: Start) -> None:
    workload = start().taken()

    workload.annotate(force_activation="true")
    workload.reaches(1)
    workload.stays(1, seconds=12)  # over twice the cooldown
    workload.annotate(force_activation=None)

    workload.reaches(0)


_AROUND_TWO = {
    "begins-with-the-change": ("0 3 * * *", "0 5 * * *"),
    "begins-in-the-hour": ("30 2 * * *", "0 5 * * *"),
    "ends-with-the-change": ("0 1 * * *", "0 3 * * *"),
    "ends-in-the-hour": ("0 1 * * *", "30 2 * * *"),
    "lies-in-the-hour": ("0 2 * * *", "0 3 * * *"),
}
"""Schedules around an hour that is skipped, or comes twice, in local time."""


def _with_schedule(trigger: dict[str, Any]) -> Change:
    def change(spec: dict[str, Any]) -> None:
        spec["triggers"].append(trigger)
        modifiers = spec["advanced"]["scalingModifiers"]
        modifiers["formula"] = f"max({modifiers['formula']}, {trigger['name']})"

    return change


def _cron(zone: str, start: str, end: str) -> dict[str, Any]:
    metadata = {"timezone": zone, "start": start, "end": end, "desiredReplicas": "1"}
    return {"type": "cron", "name": "warm", "metadata": metadata}


def _zone(plane: ControlPlane, name: str, change: datetime, local: int, step: int) -> str:
    """Make a zone whose clock moves by `step` hours when it shows `local` hours."""
    midnight = change.replace(hour=0, minute=0)
    before = (timedelta(hours=local) - (change - midnight)) % timedelta(days=1)
    if before > timedelta(hours=12):
        before -= timedelta(days=1)
    after = before + timedelta(hours=step)
    write_zone(zones_of(plane) / "Penstock" / name, change=change, before=before, after=after)
    return f"Penstock/{name}"


def test_schedules_around_a_change_of_summer_time_are_on_when_our_model_has_them_on(
    start: Start, with_keda: ControlPlane
) -> None:
    change = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=2)
    zones = [_zone(with_keda, "Spring", change, 2, 1), _zone(with_keda, "Autumn", change, 3, -1)]
    zoneinfo.reset_tzpath(to=[str(zones_of(with_keda)), *zoneinfo.TZPATH])
    triggers = {
        f"{zone} {name}": _cron(zone, *times)
        for zone in zones
        for name, times in _AROUND_TWO.items()
    }
    workloads = {key: start(change=_with_schedule(each)) for key, each in triggers.items()}

    def model(moment: datetime) -> dict[str, int]:
        rules = {key: CronTrigger.model_validate(each) for key, each in triggers.items()}
        return {key: int(rule.value_at(moment)) for key, rule in rules.items()}

    def seen() -> dict[str, int]:
        return {key: workload.replicas for key, workload in workloads.items()}

    moments = [change - timedelta(seconds=5), change + timedelta(seconds=40)]
    found = []
    for moment in moments:
        eventually(lambda moment=moment: datetime.now(UTC) >= moment, 180, "the moment to come")  # type: ignore[misc]  # mypy cannot infer the default
        found.append(seen())

    assert found == [model(moment) for moment in moments]
    assert model(moments[0]) != model(moments[1])


def test_two_hundred_deployments_that_are_woken_at_once_are_all_awake_in_two_polls_and_a_minute(
    start: Start,
) -> None:
    workloads = [start(polling_seconds=10) for _ in range(200)]
    for workload in workloads:
        eventually(workload.is_taken, 180, f"KEDA to take {workload.name}")

    for workload in workloads:
        workload.send(1)

    eventually(
        lambda: all(workload.replicas == 1 for workload in workloads), 80, "200 deployments awake"
    )
