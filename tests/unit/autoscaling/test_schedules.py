"""Replicas that are kept warm by the clock."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from penstock.autoscaling.cron import CronSchedule, checked_cron, is_between
from penstock.autoscaling.rules import ScalingRules
from tests.unit.autoscaling.tracing import rules_of, trace

LONDON = ZoneInfo("Europe/London")
FRIDAY_MORNING = datetime(2026, 6, 5, 7, 59, tzinfo=LONDON)
OFFICE_HOURS = {
    "timezone": "Europe/London",
    "start": "0 8 * * 1-5",
    "end": "0 18 * * 1-5",
    "desired_replicas": 2,
}
HOUR = 3_600
KEDA = json.loads(Path(__file__).with_name("robfig_cron.json").read_text())
"""What the library that KEDA uses answers; the file says which, and when."""


def rules(*schedules: dict[str, object], **settings: object) -> ScalingRules:
    return rules_of(max_replica=8, schedules=schedules, **settings)


def test_replicas_are_warm_in_office_hours_and_gone_a_cooldown_later() -> None:
    changes = trace(rules(OFFICE_HOURS), lambda _: 0, until=80 * HOUR, began=FRIDAY_MORNING)

    start, end = 60, 60 + 10 * HOUR
    monday = start + 72 * HOUR
    assert changes == {
        start: 1,  # KEDA starts the first, the HPA the others
        start + 15: 2,
        end - 15 + 900: 0,  # counted from when KEDA last found the schedule on
        monday: 1,
        monday + 15: 2,
    }


def test_demand_adds_to_what_is_warm_only_beyond_it() -> None:
    def load(now: float) -> float:
        return 5 if now >= HOUR else 1

    changes = trace(rules(OFFICE_HOURS), load, until=2 * HOUR, began=FRIDAY_MORNING, replicas=1)

    assert changes == {60: 2, HOUR: 5}


def test_after_the_schedule_demand_alone_holds_replicas() -> None:
    before_the_end = datetime(2026, 6, 5, 17, 59, tzinfo=LONDON)
    warm = rules(OFFICE_HOURS, scale_down_delay=300)

    changes = trace(warm, lambda _: 1, until=HOUR, began=before_the_end, replicas=2)

    assert changes == {45 + 300: 1}


def test_of_overlapping_schedules_the_most_replicas_count() -> None:
    lunch = {**OFFICE_HOURS, "start": "0 12 * * *", "end": "0 13 * * *", "desired_replicas": 4}
    both = rules(OFFICE_HOURS, lunch, scale_down_delay=0)

    changes = trace(both, lambda _: 0, until=6 * HOUR, began=FRIDAY_MORNING, replicas=2)

    noon = 60 + 4 * HOUR
    assert changes == {0: 0, 60: 1, 75: 2, noon: 4, noon + HOUR: 2}


@pytest.mark.parametrize(
    ("clock", "is_on"),
    [
        ("2026-06-05T07:59:59", False),
        ("2026-06-05T08:00:00", True),
        ("2026-06-05T17:59:59", True),
        ("2026-06-05T18:00:00", False),
        ("2026-06-06T12:00:00", False),  # a Saturday
        ("2026-01-05T08:00:00", True),  # in winter, when London's clock is another
    ],
)
def test_a_schedule_goes_by_the_clock_of_its_own_place(clock: str, is_on: bool) -> None:  # noqa: FBT001 - a row of a table
    moment = datetime.fromisoformat(clock).replace(tzinfo=LONDON)

    elsewhere = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    assert is_between("0 8 * * 1-5", "0 18 * * 1-5", "Europe/London", elsewhere) is is_on


def test_a_schedule_may_last_over_midnight() -> None:
    evening = datetime(2026, 6, 5, 22, tzinfo=LONDON)
    hours = [evening + timedelta(hours=hour) for hour in range(9)]

    on = [is_between("0 22 * * *", "0 6 * * *", "Europe/London", hour) for hour in hours]

    assert on == [True] * 8 + [False]


@pytest.mark.parametrize(
    "text",
    ["0 8 * * 1-5", "*/15 0-6,22 1 jan-mar MON", "0 8 ? * ?", "5/10 8 1-31/2 12 sun,sat"],
)
def test_a_time_that_keda_takes_is_taken(text: str) -> None:
    assert checked_cron(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 8 * *", "minute, hour, day of month"),
        ("@daily", "minute, hour, day of month"),
        ("0 8  * * 1", "minute, hour, day of month"),
        ("60 8 * * *", "out of range"),
        ("0 8 * * 7", "Sunday is 0"),
        ("0 8 * * 5-1", "ends before it begins"),
        ("0 8 * * fri-mon", "ends before it begins"),
        ("0 8 L * *", "'L' is no number"),
        ("0 8 * * 1#2", "'1#2' is not a value"),
        ("0 8 mon * *", "'mon' is no number: it stands for a day of month"),
        ("0 8 * mon *", "'mon' is no number and none of jan, feb"),
        ("0 8 31 2 *", "never comes"),
        ("0 8 31 4,6 */1", "never comes"),
    ],
)
def test_a_time_that_keda_refuses_or_that_never_comes_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        checked_cron(text)


@pytest.mark.parametrize(("text", "zone", "moment", "expected"), KEDA["next"])
def test_a_time_comes_next_when_it_does_for_keda(
    text: str, zone: str, moment: str, expected: str | None
) -> None:
    found = CronSchedule.read(text).next_after(datetime.fromisoformat(moment), ZoneInfo(zone))

    assert found == (expected and datetime.fromisoformat(expected))


@pytest.mark.parametrize("text", KEDA["refused"])
def test_no_time_is_taken_that_keda_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        checked_cron(text)


@pytest.mark.parametrize(
    ("days", "is_on"),
    [
        ("1 * 1", True),  # the first of a month, and Mondays
        ("1 * *", False),
        ("1 * */1", False),  # a step of 1 leaves nothing out, and is a star
        ("*/1 * 1", True),
        ("1 * */2", False),  # the first, and Sundays, Tuesdays, Thursdays, Saturdays
        ("1 * 0-6", True),  # a range is no star, whatever it holds
    ],
)
def test_a_step_of_one_beside_the_other_field_of_days_is_a_star(days: str, is_on: bool) -> None:  # noqa: FBT001 - a row of a table
    monday = datetime(2026, 6, 8, 12, tzinfo=LONDON)

    assert is_between(f"0 8 {days}", f"0 18 {days}", "Europe/London", monday) is is_on


@pytest.mark.parametrize(("day", "is_on"), [(27, True), (28, False), (29, True)])
def test_a_night_whose_end_summer_time_skips_is_none_for_keda(day: int, is_on: bool) -> None:  # noqa: FBT001 - a row of a table
    evening = datetime(2026, 3, day, 23, tzinfo=ZoneInfo("Europe/Berlin"))

    # On the 29th there was no half past two: the next end came after the next start.
    assert is_between("0 22 * * *", "30 2 * * *", "Europe/Berlin", evening) is is_on


def test_what_never_starts_or_ends_any_more_is_on_or_off_for_ever_for_keda() -> None:
    leap_day, noon = "0 8 29 2 *", "0 12 * * *"
    moment = datetime(2096, 3, 1, tzinfo=LONDON)  # 2100 is no leap year

    assert is_between(leap_day, noon, "Europe/London", moment)
    assert not is_between(noon, leap_day, "Europe/London", moment)
