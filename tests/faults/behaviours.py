"""What model servers, callers, operators and SQS do in scenarios."""

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestState
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.server import (
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
)
from tests.faults.model import ModelCall
from tests.faults.promises import sagemaker_submission
from tests.faults.stack import Stack


def answers(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, stack.answer_of(call))


def fails(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom"))


def answers_an_error(stack: Stack, call: ModelCall) -> None:
    answer = ModelAnswer(b'{"message": "boom"}', "application/json", 500)
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom", answer))


def answers_an_error_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (answers_an_error if is_first else answers)(stack, call)


def refuses_input(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelFaultError(FaultCode.MODEL_INVALID_INPUT, "bad input"))


def fails_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (fails if is_first else answers)(stack, call)


def is_busy_once(stack: Stack, call: ModelCall) -> None:
    if stack.ledger.stories[call.request_id].runs == 1:
        stack.answer_model(call, ModelBusyError("429"))
    else:
        answers(stack, call)


GIVEN_UP = sagemaker_submission(max_time_in_queue_seconds=3_600)
_BUSY = ModelAnswer(b"engine dead", "text/plain", 503)


def is_refused(stack: Stack, call: ModelCall) -> None:
    stack.answer_model(call, ModelRefusedError(_BUSY))


def is_refused_once(stack: Stack, call: ModelCall) -> None:
    is_first = stack.ledger.stories[call.request_id].runs == 1
    (is_refused if is_first else answers)(stack, call)


def is_cancelled(stack: Stack, call: ModelCall) -> None:
    if stack.world.row(call.request_id).cancel_requested:
        answers(stack, call)  # too late: the worker has closed the call, or will not keep this
    else:
        stack.cancel(call.request_id, force=True)


def is_delivered_twice(stack: Stack, call: ModelCall) -> None:
    if stack.ledger.stories[call.request_id].deliveries == 1:
        stack.world.queue.lapse(0)
        stack.start_worker()
    else:
        answers(stack, call)


def dies_with_its_message(stack: Stack, call: ModelCall) -> None:
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


def fails_until_redriven(stack: Stack, call: ModelCall) -> None:
    is_redriven = stack.ledger.stories[call.request_id].redrives > 0
    (answers if is_redriven else fails)(stack, call)


def leaves_dead_copies(stack: Stack) -> bool:
    """Let SQS give up on a copy of its message while it runs, and once more while it waits."""
    for row in stack.rows():
        if not row.state.is_terminal and stack.dead_copies < 2 * row.failed_attempts:
            stack.leave_dead_copy()
            stack.sweep()
    return False


def redrives_once(stack: Stack) -> bool:
    has_failed = any(
        row.state is RequestState.FAILED and not stack.ledger.stories[row.request_id].redrives
        for row in stack.rows()
    )
    if not has_failed or stack.redrives >= 3:
        return False
    stack.redrive()
    return True


def repeats_while_swept(stack: Stack) -> bool:
    """Let its caller send it again, once, while a sweep that looks at it is held up."""
    is_swept = any(each.name.startswith("sweeper") for each in stack.simulation.processes)
    if is_swept and all(story.sends == 1 for story in stack.ledger.stories.values()):
        stack.submit(GIVEN_UP)
    return False
