"""SQS keeps a message hidden for 12 h in total."""

import pytest

from penstock.adapters.visibility import visibility_seconds


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        (30, 0, 30),
        (29.001, 0, 30),
        (0, 100, 0),
        (43_200, 0, 43_195),
        (43_200, 0.5, 43_194),
        (60, 43_150, 45),
        (60, 43_195, 0),
        (60, 50_000, 0),
    ],
)
def test_a_timeout_is_rounded_up_and_ends_before_the_limit(
    wanted: float, held: float, expected: int
) -> None:
    assert visibility_seconds(wanted, held) == expected
