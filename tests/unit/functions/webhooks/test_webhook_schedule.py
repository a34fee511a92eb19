"""When a webhook is sent again."""

from datetime import UTC, datetime

import pytest

from functions.webhooks.schedule import (
    LONGEST_DELAY_SECONDS,
    delay_seconds,
    longest_delay_seconds,
    retry_after_seconds,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_eight_attempts_span_six_hours_in_the_mean() -> None:
    bounds = [longest_delay_seconds(attempts) for attempts in range(1, 8)]
    assert bounds == [40, 120, 360, 1_080, 3_240, 9_720, 29_160]
    in_the_mean = sum(delay_seconds(attempts, 0, 0.5) for attempts in range(1, 8))
    assert 6 < in_the_mean / 3_600 < 6.1


def test_no_delay_is_longer_than_a_message_can_be_hidden() -> None:
    assert longest_delay_seconds(9) == LONGEST_DELAY_SECONDS
    assert longest_delay_seconds(1_000) == LONGEST_DELAY_SECONDS
    assert delay_seconds(1, 10**9, 0.5) == LONGEST_DELAY_SECONDS


def test_jitter_goes_down_to_nothing_but_not_below_what_the_receiver_wants() -> None:
    assert delay_seconds(3, 0, 0.0) == 0
    assert delay_seconds(3, 90, 0.0) == 90
    assert delay_seconds(3, 90, 1.0) == 360


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("soon", 0),
        ("9" * 5_000, LONGEST_DELAY_SECONDS),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60),
        ("Friday, 02-Jan-26 03:05:05 GMT", 60),
        ("Fri Jan  2 03:05:05 2026", 60),
        ("Fri, 02 Jan 2026 03:05:05 -0000", 60),
        ("Fri, 02 Jan 2026 03:03:05 GMT", 0),
        ("Fri, 99 Jan 2026 03:03:05 GMT", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header, NOW) == seconds
