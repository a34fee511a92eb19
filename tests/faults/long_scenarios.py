"""Ways of one request that take so many calls that not each of them meets each fault."""

from datetime import timedelta

from penstock.contracts.request import AsyncRequest, RequestState
from tests.faults.model import ModelCall
from tests.faults.recovery import work
from tests.faults.scenarios import Scenario, answers, fails_once
from tests.faults.stack import Stack

_HOURS_OF_A_WEEK = 7 * 24 + 2
_LOST_SECONDS = 15 * 60
"""For so long a waiting retry stands still until the sweeper asks for its message."""


def _answers_after(seconds: float, stack: Stack, call: ModelCall) -> None:
    if stack.simulation.time() - call.began >= seconds:
        answers(stack, call)


def _answers_late(stack: Stack, call: ModelCall) -> None:
    _answers_after(10, stack, call)


def _answers_after_minutes(stack: Stack, call: ModelCall) -> None:
    _answers_after(260, stack, call)


def _retry_is_held_by_another(stack: Stack) -> bool:
    """Let its message be hidden as by a worker that fetched it and is busy for long."""
    for row in stack.rows():
        if row.state is RequestState.QUEUED and row.failed_attempts and _is_new(stack, row):
            stack.world.queue.delay(0, _LOST_SECONDS + 100)
            stack.jump(_LOST_SECONDS + 10)
            stack.sweep()
    return False


def _is_new(stack: Stack, row: AsyncRequest) -> bool:
    return stack.world.clock() - row.status_at < timedelta(minutes=1)


def _is_not_taken_again(stack: Stack) -> bool:
    """Let a week pass for a request that its worker gave back."""
    if all(_is_waiting(row) for row in stack.rows()):
        for _ in range(0, _HOURS_OF_A_WEEK, 6):
            stack.jump(6 * 3_600)
            stack.purge()
            stack.sweep()
            work(stack)
            if not any(_is_waiting(row) for row in stack.rows()):
                break
    return False


def _is_waiting(row: AsyncRequest) -> bool:
    return row.state is RequestState.QUEUED and row.was_claimed


def _was_never_claimed(stack: Stack) -> bool:
    return not any(row.was_claimed for row in stack.rows())


def _is_drained(stack: Stack, call: ModelCall) -> None:
    worker = next(each for each in stack.workers if each.process is call.worker)
    if not worker.drain.requested.is_set():
        stack.stop(worker, seconds=0)


LONG_SCENARIOS = (
    Scenario(
        name="retry held by another worker",
        model=fails_once,
        retry_delay_ms=5_000,
        meanwhile=_retry_is_held_by_another,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="runs while the index lags",
        model=_answers_after_minutes,
        max_attempts=1,
        index_lag_seconds=125,
        sweeps_every_seconds=60,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="lease cannot be renewed",
        model=_answers_late,
        refuses=frozenset({"requests.renew"}),
        sweeps_every_seconds=60,
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="a heartbeat hangs",
        model=_answers_late,
        hangs_once="queue.hide",
        attempts=1,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="last attempt half a minute behind",
        model=_answers_after_minutes,
        max_attempts=1,
        worker_skew_seconds=-31,
        sweeps_every_seconds=60,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="not taken again for a week",
        model=_is_drained,
        meanwhile=_is_not_taken_again,
        has_capacity=_was_never_claimed,
        ends=(RequestState.FAILED,),
    ),
)
