"""Ways of one request that take so many calls that not each of them meets each fault."""

from datetime import timedelta

from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from penstock.contracts.submission import Submission
from runtime_image.dispatcher.model_server.server import ModelBusyError
from tests.faults.behaviours import answers, fails_once, is_refused
from tests.faults.model import ModelCall
from tests.faults.promises import sagemaker_submission
from tests.faults.recovery import work
from tests.faults.scenarios import Scenario
from tests.faults.stack import Stack
from tests.faults.world import ACME, MAX_RECEIVES

_HOURS_OF_A_WEEK = 7 * 24 + 2
_LOST_SECONDS = 15 * 60
"""For so long a waiting retry stands still until the sweeper asks for its message."""


def _answers_after(seconds: float, stack: Stack, call: ModelCall) -> None:
    if stack.simulation.time() - call.began >= seconds:
        answers(stack, call)


def _is_not_ready_for_long(stack: Stack, call: ModelCall) -> None:
    """Refuse to listen for as long as it takes to be received more often than SQS allows."""
    if stack.ledger.stories[call.request_id].deliveries <= MAX_RECEIVES:
        stack.answer_model(call, ModelBusyError("the model server does not listen"))
    else:
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


def _submit_and_lose(stack: Stack, count: int) -> None:
    """Let another tenant send many requests, and let their messages be lost."""
    for number in range(count):
        payload = str(number).encode()
        stack.submit(
            Submission(tenant=Tenant("busy"), payload=payload, max_time_in_queue_seconds=10)
        )
    work(stack)
    for _ in range(count):
        stack.lose_message(0, is_dead_lettered=False)


def _has_a_busy_tenant(stack: Stack) -> None:
    _submit_and_lose(stack, 40)


def _has_a_very_busy_tenant(stack: Stack) -> None:
    _submit_and_lose(stack, 80)


def _has_nobody(_: Stack) -> bool:
    return False


def _submit_beside(stack: Stack, key: str) -> None:
    stack.submit(Submission(tenant=ACME, payload=key.encode(), idempotency_key=key))


def _has_a_neighbour(stack: Stack) -> None:
    _submit_beside(stack, "neighbour")
    work(stack)


def _is_beside_one_that_is_stopped(stack: Stack, call: ModelCall) -> None:
    """Let its neighbour be stopped while it runs, and a third wait for the slot."""
    if call.request_id != stack.ids[0]:
        _answers_late(stack, call)
    elif not stack.world.row(call.request_id).cancel_requested:
        stack.cancel(call.request_id, force=True)
        _submit_beside(stack, "third")


def _has_many_at_one_place(stack: Stack) -> None:
    for number in range(4):
        stack.submit(sagemaker_submission(idempotency_key=f"placed {number}"))
    work(stack)


LONG_SCENARIOS = (
    Scenario(
        name="model server not ready for long",
        model=_is_not_ready_for_long,
        max_attempts=1,
        attempts=1,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="refused for twenty minutes",
        model=is_refused,
        max_attempts=1,
        max_time_in_queue_seconds=1_200,
        at_most=(("requests.claim", 15),),
        attempts=0,
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="beside one that is stopped",
        model=_is_beside_one_that_is_stopped,
        others=_has_a_neighbour,
        payload=b"1",
        slots=2,
        restarts_models=True,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="a caller's place refuses",
        model=answers,
        sagemaker=sagemaker_submission(),
        has_closed_places=True,
        attempts=1,
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="a caller's place is unavailable",
        model=answers,
        sagemaker=sagemaker_submission(),
        refuses_places=frozenset({"results.put_result"}),
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="behind others whose place is unavailable",
        model=answers,
        others=_has_many_at_one_place,
        max_time_in_queue_seconds=60,
        refuses_places=frozenset({"results.put_result"}),
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="expires while its caller's place is unavailable",
        model=answers,
        sagemaker=sagemaker_submission(),
        loss="gone",
        waits_seconds=601,
        has_capacity=_has_nobody,
        sweeps_every_seconds=60,
        refuses_places=frozenset({"results.put_failure"}),
        at_most=(("results.put_failure", 8),),
        ends=(RequestState.EXPIRED,),
    ),
    Scenario(
        name="expires beside many of another tenant",
        model=answers,
        others=_has_a_busy_tenant,
        max_time_in_queue_seconds=20,
        waits_seconds=70,
        has_capacity=_has_nobody,
        sweeps_every_seconds=60,
        calls_of_a_sweep=30,
        ends_within_seconds=70 + 60,
        ends=(RequestState.EXPIRED,),
    ),
    Scenario(
        name="dead-lettered beside many that are due",
        model=answers,
        others=_has_a_very_busy_tenant,
        loss="dead letter",
        max_time_in_queue_seconds=3_600,
        waits_seconds=901,
        has_capacity=_has_nobody,
        calls_of_a_sweep=40,
        ends_within_seconds=901 + 90,
        ends=(RequestState.FAILED,),
    ),
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
