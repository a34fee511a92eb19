"""Fixed ways of one request through the whole stack, and how each must end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId, RequestState, RetryPolicy
from penstock.contracts.submission import Submission
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.server import (
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
)
from tests.faults.model import ModelCall
from tests.faults.promises import INPUT, NO_INPUT, sagemaker_submission
from tests.faults.stack import Stack
from tests.faults.world import ACME, NO_TOPIC


def answers(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, stack.answer_of(call))


def fails(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom"))


def answers_an_error(stack: Stack, call: ModelCall) -> None:
    answer = ModelAnswer(b'{"message": "boom"}', "application/json", 500)
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom", answer))


def _answers_an_error_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (answers_an_error if is_first else answers)(stack, call)


def _refuses_input(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_INVALID_INPUT, "bad input"))


def fails_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (fails if is_first else answers)(stack, call)


def is_busy_once(stack: Stack, call: ModelCall) -> None:
    if stack.ledger.stories[call.request_id].runs == 1:
        stack.answer_model(call, ModelBusyError("429"))
    else:
        answers(stack, call)


_GIVEN_UP = sagemaker_submission(max_time_in_queue_seconds=3_600)
_BUSY = ModelAnswer(b"engine dead", "text/plain", 503)


def is_refused(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelRefusedError(_BUSY))


def _is_refused_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (is_refused if is_first else answers)(stack, call)


def _is_cancelled(stack: Stack, call: ModelCall) -> None:
    if stack.world.row(call.request_id).cancel_requested:
        answers(stack, call)  # too late: the worker has closed the call, or will not keep this
    else:
        stack.cancel(call.request_id, force=True)


def _is_delivered_twice(stack: Stack, call: ModelCall) -> None:
    if stack.ledger.stories[call.request_id].deliveries == 1:
        stack.world.queue.lapse(0)
        stack.start_worker()
    else:
        answers(stack, call)


def _dies_with_its_message(stack: Stack, call: ModelCall) -> None:
    if stack.ledger.stories[call.request_id].runs == 1:
        stack.kill(next(each for each in stack.workers if each.process is call.worker))
        stack.lose_message(0, is_dead_lettered=False)
    else:
        answers(stack, call)


def is_drained_once(stack: Stack, call: ModelCall) -> None:
    worker = next(each for each in stack.workers if each.process is call.worker)
    if stack.ledger.stories[call.request_id].runs == 1 and not worker.drain.requested.is_set():
        stack.stop(worker, seconds=0)
        stack.start_worker()
    else:
        answers(stack, call)


def _fails_until_redriven(stack: Stack, call: ModelCall) -> None:
    is_redriven = stack.ledger.stories[call.request_id].redrives > 0
    (answers if is_redriven else fails)(stack, call)


def _leaves_dead_copies(stack: Stack) -> bool:
    """Let SQS give up on a copy of its message while it runs, and once more while it waits."""
    for row in stack.rows():
        if not row.state.is_terminal and stack.dead_copies < 2 * row.failed_attempts:
            stack.leave_dead_copy()
            stack.sweep()
    return False


def _redrives_once(stack: Stack) -> bool:
    has_failed = any(
        row.state is RequestState.FAILED and not stack.ledger.stories[row.request_id].redrives
        for row in stack.rows()
    )
    if not has_failed or stack.redrives >= 3:
        return False
    stack.redrive()
    return True


def _repeats_while_swept(stack: Stack) -> bool:
    """Let its caller send it again, once, while a sweep that looks at it is held up."""
    is_swept = any(each.name.startswith("sweeper") for each in stack.simulation.processes)
    if is_swept and all(story.sends == 1 for story in stack.ledger.stories.values()):
        stack.submit(_GIVEN_UP)
    return False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One request, how the model takes it, and how it must end whatever call fails."""

    name: str
    model: Callable[[Stack, ModelCall], None]
    ends: tuple[RequestState, ...]
    """First how it ends without faults."""

    max_attempts: int = 3
    max_time_in_queue_seconds: int = 600
    payload: bytes = bytes(210_000)
    """Too large for a message, so that it takes the longest way."""

    loss: Literal["dead letter", "gone"] | None = None
    """What becomes of the message at once, if no worker is to receive it."""

    receiver: tuple[int, ...] = ()
    """What the receiver of its webhook answers before it takes it."""

    waits_seconds: float = 0
    """Before there is a worker."""

    is_canceled_first: bool = False
    """Whether its caller cancels it before there is a worker."""

    retry_delay_ms: int = 0
    worker_skew_seconds: float = 0
    """How far the clocks of workers are ahead of ours."""

    index_lag_seconds: float = 0
    sweeps_every_seconds: float | None = None
    refuses: frozenset[str] = frozenset()
    """Calls that AWS always fails."""

    hangs_once: str | None = None
    """The first such call hangs."""

    refuses_places: frozenset[str] = frozenset()
    """Calls that always fail at a place that a caller named."""

    slots: int = 1
    restarts_models: bool = False
    """Whether a model server is restarted that works on with a call that was closed."""

    others: Callable[[Stack], None] = lambda _: None
    """What is submitted before it."""

    calls_of_a_sweep: int | None = None
    """After so many its time is up."""

    at_most: tuple[tuple[str, int], ...] = ()
    """How often some calls may be made without faults."""

    ends_within_seconds: float | None = None
    """Of its acceptance, without faults."""

    unreadable: frozenset[RequestId] = frozenset()
    """Rows of another version that are always due."""

    attempts: int | None = None
    """How many attempts count without faults, where that matters."""

    has_key: bool = True
    """Whether its caller can repeat the submission under a key."""

    meanwhile: Callable[[Stack], bool] = lambda _: False
    """What else happens, again and again; whether more of it is to come."""

    has_capacity: Callable[[Stack], bool] = lambda _: True
    """Whether another worker is started once none is left."""

    sagemaker: Submission | None = None
    """The call, when it is one of SageMaker's."""

    def submission(self) -> Submission:
        if self.sagemaker is not None:
            return self.sagemaker
        return Submission(
            tenant=ACME,
            payload=self.payload,
            max_time_in_queue_seconds=self.max_time_in_queue_seconds,
            retry=RetryPolicy(max_attempts=self.max_attempts, initial_delay_ms=self.retry_delay_ms),
            webhook_endpoint="https://receiver.example/hook",
            idempotency_key="one" if self.has_key else None,
        )


_BASETEN = (
    Scenario(name="succeeds", model=answers, ends=(RequestState.SUCCEEDED,)),
    Scenario(name="small payload", model=answers, payload=b"1", ends=(RequestState.SUCCEEDED,)),
    Scenario(name="fails once", model=fails_once, ends=(RequestState.SUCCEEDED,)),
    Scenario(
        name="model busy",
        model=is_busy_once,
        max_attempts=1,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
    Scenario(
        name="refused once",
        model=_is_refused_once,
        max_attempts=1,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
    Scenario(
        name="refused for ever",
        model=is_refused,
        max_attempts=1,
        max_time_in_queue_seconds=10,
        ends=(RequestState.FAILED, RequestState.EXPIRED),
    ),
    Scenario(
        name="worker drains",
        model=is_drained_once,
        max_attempts=1,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
    Scenario(name="fails always", model=fails, ends=(RequestState.FAILED,)),
    Scenario(name="bad input", model=_refuses_input, ends=(RequestState.FAILED,)),
    Scenario(
        name="one attempt",
        model=answers,
        max_attempts=1,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
    Scenario(
        name="cancelled while running",
        model=_is_cancelled,
        ends=(RequestState.CANCELED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="delivered twice",
        model=_is_delivered_twice,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="dead-lettered",
        model=answers,
        loss="dead letter",
        max_time_in_queue_seconds=3_600,
        waits_seconds=870,
        ends=(RequestState.FAILED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="message gone",
        model=answers,
        loss="gone",
        ends=(RequestState.EXPIRED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="waits too long",
        model=answers,
        waits_seconds=601,
        ends=(RequestState.EXPIRED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="worker and message gone",
        model=_dies_with_its_message,
        ends=(RequestState.FAILED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="receiver in trouble",
        model=answers,
        receiver=(503, 500),
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(name="receiver gone", model=answers, receiver=(410,), ends=(RequestState.SUCCEEDED,)),
)

_OPERATED = (
    Scenario(
        name="sent without a key", model=answers, has_key=False, ends=(RequestState.SUCCEEDED,)
    ),
    Scenario(
        name="a copy is dead-lettered",
        model=fails_once,
        retry_delay_ms=5_000,
        meanwhile=_leaves_dead_copies,
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="beside a row that cannot be read",
        model=answers,
        loss="gone",
        waits_seconds=601,
        unreadable=frozenset({RequestId("0" * 32)}),
        ends=(RequestState.EXPIRED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="redriven",
        model=_fails_until_redriven,
        meanwhile=_redrives_once,
        max_attempts=2,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
)

_SAGEMAKER = (
    Scenario(
        name="input in S3",
        model=answers,
        sagemaker=sagemaker_submission(read_from=INPUT),
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="no such input",
        model=answers,
        sagemaker=sagemaker_submission(read_from=NO_INPUT),
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="model answers an error",
        model=answers_an_error,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.FAILED,),
    ),
    Scenario(
        name="model would recover",
        model=_answers_an_error_once,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.FAILED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="model is lost once",
        model=fails_once,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.SUCCEEDED,),
    ),
    Scenario(
        name="cancelled in the queue",
        model=answers,
        is_canceled_first=True,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.CANCELED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="cancelled and its message gone",
        model=answers,
        is_canceled_first=True,
        loss="gone",
        sagemaker=sagemaker_submission(),
        ends=(RequestState.CANCELED, RequestState.EXPIRED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="stopped by its caller",
        model=_is_cancelled,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.CANCELED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="expires at an endpoint",
        model=answers,
        waits_seconds=601,
        sagemaker=sagemaker_submission(),
        ends=(RequestState.EXPIRED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="given up at an endpoint",
        model=answers,
        loss="dead letter",
        waits_seconds=870,
        meanwhile=_repeats_while_swept,
        sagemaker=_GIVEN_UP,
        ends=(RequestState.FAILED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="topic gone",
        model=answers,
        sagemaker=sagemaker_submission(topic=NO_TOPIC),
        ends=(RequestState.SUCCEEDED,),
    ),
)

SCENARIOS = _BASETEN + _OPERATED + _SAGEMAKER
