"""Which errors a loop of the worker survives, and for how long."""

import pytest

from penstock.contracts.errors import UnavailableError
from runtime_image.dispatcher.scheduling import endurance
from runtime_image.dispatcher.scheduling.endurance import Endurance


class Time:
    now = 0.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(endurance, "_now", lambda: time.now)
    return time


def fail(loop: Endurance, error: BaseException) -> None:
    with loop:
        raise error


def test_a_mistake_that_is_the_only_outcome_for_minutes_ends_the_process(time: Time) -> None:
    loop = Endurance("receive failed")
    for _ in range(300):
        fail(loop, ValueError("a bug"))
        time.now += 1
    with pytest.raises(ValueError, match="a bug"):
        fail(loop, ValueError("a bug"))


@pytest.mark.parametrize("outcome", ["success", "unavailable"])
def test_an_error_that_comes_now_and_then_ends_nothing(time: Time, outcome: str) -> None:
    loop = Endurance("receive failed")
    for _ in range(20):
        fail(loop, ValueError("a bug"))
        time.now += 200
        if outcome == "unavailable":
            fail(loop, UnavailableError("receive", "throttled"))
        else:
            with loop:
                pass


@pytest.mark.usefixtures("time")
def test_the_end_of_the_process_is_not_survived() -> None:
    with pytest.raises(KeyboardInterrupt):
        fail(Endurance("receive failed"), KeyboardInterrupt())
