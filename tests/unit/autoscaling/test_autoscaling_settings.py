from typing import Any

import pytest
from pydantic import ValidationError

from penstock.autoscaling.settings import AutoscalingSettings

WEEKDAYS = {
    "timezone": "Europe/London",
    "start": "0 8 * * 1-5",
    "end": "0 18 * * 1-5",
    "desired_replicas": 2,
}


def test_the_defaults_scale_to_zero_and_plan_without_headroom() -> None:
    assert AutoscalingSettings().model_dump() == {
        "min_replica": 0,
        "max_replica": 1,
        "autoscaling_window": 0,
        "scale_down_delay": 900,
        "concurrency_target": 1,
        "target_utilization_percentage": 100,
        "max_scale_down_rate": 50,
        "schedules": (),
    }


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("autoscaling_window", 10, 3_600),
        ("scale_down_delay", 0, 3_600),
        ("target_utilization_percentage", 1, 100),
        ("max_scale_down_rate", 1, 50),
    ],
)
def test_a_bounded_setting_takes_its_bounds_and_nothing_beyond(
    field: str, lowest: int, highest: int
) -> None:
    AutoscalingSettings.model_validate({field: lowest})
    AutoscalingSettings.model_validate({field: highest})
    for beyond in (lowest - 1, highest + 1):
        with pytest.raises(ValidationError, match=field):
            AutoscalingSettings.model_validate({field: beyond})


@pytest.mark.parametrize(
    ("field", "value"), [("min_replica", -1), ("max_replica", 0), ("concurrency_target", 0)]
)
def test_a_setting_below_its_least_value_is_refused(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        AutoscalingSettings.model_validate({field: value})


def test_a_misspelt_setting_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="max_replicas"):
        AutoscalingSettings.model_validate({"max_replicas": 3})


def test_fewer_replicas_at_most_than_at_least_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_replica 3 is above max_replica 2"):
        AutoscalingSettings(min_replica=3, max_replica=2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timezone": "Europe/Atlantis"}, "IANA time zone"),
        ({"start": "0 8 * *"}, "start"),
        ({"end": "0 8 * * 1-5"}, "ends when it starts"),
        ({"desired_replicas": 5}, "above max_replica 4"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        AutoscalingSettings.model_validate({"max_replica": 4, "schedules": [WEEKDAYS | change]})
