"""Any interleaving of callers, workers, functions and faults, as Hypothesis chooses it."""

from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RetryPolicy
from penstock.contracts.submission import Submission
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.server import (
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
)
from tests.faults.promises import INPUT, NO_INPUT, sagemaker_submission
from tests.faults.recovery import recover
from tests.faults.simulation.fates import FAULTS, Fate
from tests.faults.simulation.turns import Turn
from tests.faults.stack import Stack
from tests.faults.tally import Tally
from tests.faults.world import ACME, NO_TOPIC, TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable

_CHOICE = st.integers(0, 63)
_SECONDS = st.sampled_from([0.1, 1.0, 3.5, 11.0, 61.0])
_SKEW_SECONDS = st.sampled_from([0.0, 0.0, 0.9, -0.9])
"""Two clocks may differ by less than two thirds of a lease."""

_BIG = bytes(210_000)
"""Too large for a message."""

_BUSY_ANSWER = ModelAnswer(b"engine dead", "text/plain", 503)
_ERROR_ANSWER = ModelAnswer(b'{"message": "boom"}', "application/json", 500)

_BASETEN = st.builds(
    Submission,
    tenant=st.just(ACME),
    payload=st.sampled_from([b"1", b"\xff"]),
    priority=st.integers(0, 2),
    max_time_in_queue_seconds=st.sampled_from([10, 10, 120]),
    retry=st.builds(
        RetryPolicy,
        max_attempts=st.integers(1, 3),
        initial_delay_ms=st.sampled_from([0, 1_000]),
    ),
    webhook_endpoint=st.sampled_from([None, "https://receiver.example/hook"]),
    idempotency_key=st.sampled_from([None, None, "a", "b"]),
)

_SAGEMAKER = st.builds(
    sagemaker_submission,
    read_from=st.sampled_from([None, INPUT, NO_INPUT]),
    topic=st.sampled_from([None, TOPIC, TOPIC, NO_TOPIC]),
    max_time_in_queue_seconds=st.sampled_from([10, 10, 120]),
    max_attempts=st.integers(1, 3),
    idempotency_key=st.sampled_from([None, None, "c", "d"]),
)
_SUBMISSIONS = _BASETEN | _SAGEMAKER


class FaultyStack(RuleBasedStateMachine):
    """One stack; what its runs do is counted in `tally`."""

    tally: ClassVar[Tally]
    max_batch_size: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self.stack = Stack(max_batch_size=self.max_batch_size)

    def is_running(self) -> bool:
        return bool(self.stack.runnable())

    @initialize(
        workers=st.lists(_SKEW_SECONDS, min_size=1, max_size=3),
        slots=st.integers(1, 3),
        restarts_models=st.booleans(),
    )
    def start(self, workers: list[float], slots: int, restarts_models: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        self.stack.restarts_models = restarts_models
        for skew_seconds in workers:
            slots_of_all = slots * self.stack.max_batch_size
            self.stack.start_worker(slots_of_all, skew_seconds=skew_seconds)

    @rule(submission=_SUBMISSIONS, is_big=st.integers(0, 7), times=st.integers(1, 2))
    def submit(self, submission: Submission, is_big: int, times: int) -> None:
        if not is_big and submission.input is None:
            submission = submission.model_copy(update={"payload": _BIG})
        for _ in range(times):
            self.stack.submit(submission)
        self.tally.steps += 1

    @precondition(is_running)
    @rule(choices=st.lists(_CHOICE, min_size=1, max_size=12))
    def work(self, choices: list[int]) -> None:
        for choice in choices:
            if runnable := self.stack.runnable():
                self._take(runnable[choice % len(runnable)], Fate.DONE)

    @precondition(is_running)
    @rule(choice=_CHOICE, fate=st.sampled_from(FAULTS))
    def fail(self, choice: int, fate: Fate) -> None:
        runnable = self.stack.runnable()
        turn = runnable[choice % len(runnable)]
        if not fate.may_meet(turn.call.name):
            fate = Fate.CRASH_AFTER
        self.tally.faults[turn.call.name, fate] += 1
        self._take(turn, fate)

    def _take(self, turn: Turn, fate: Fate) -> None:
        self.tally.steps += 1
        self.stack.take(turn, fate)

    @precondition(lambda self: self.stack.model_calls)
    @rule(choice=_CHOICE, behaviour=st.integers(0, 9))
    def answer(self, choice: int, behaviour: int) -> None:
        call = self.stack.model_calls[choice % len(self.stack.model_calls)]
        failures: dict[int, Callable[[], Any]] = {
            5: lambda: ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom"),
            6: lambda: ModelFaultError(FaultCode.MODEL_INVALID_INPUT, "bad input"),
            7: lambda: ModelBusyError("429"),
            8: lambda: ModelFaultError(FaultCode.MODEL_PREDICT_ERROR, "boom", _ERROR_ANSWER),
            9: lambda: ModelRefusedError(_BUSY_ANSWER),
        }
        self.tally.steps += 1
        if behaviour in failures:
            self._mishap("model failed")
        self.stack.answer_model(call, failures.get(behaviour, lambda: self.stack.answer_of(call))())

    @precondition(lambda self: self.stack.ids)
    @rule(choice=_CHOICE, force=st.booleans())
    def cancel(self, choice: int, force: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        self.tally.steps += 1
        self.stack.cancel(self.stack.ids[choice % len(self.stack.ids)], force=force)

    @precondition(lambda self: self.stack.world.webhooks.messages)
    @rule(status=st.sampled_from([200, 200, 410, 500, 503]))
    def deliver(self, status: int) -> None:
        self.tally.steps += 1
        self.stack.world.receiver.statuses = [status]
        self.stack.deliver_webhook()

    @rule()
    def sweep(self) -> None:
        self.tally.steps += 1
        self.stack.sweep()

    @precondition(lambda self: self.stack.world.dead_letters.count())
    @rule()
    def redrive(self) -> None:
        self.tally.steps += 1
        self.stack.redrive()

    @rule(seconds=_SECONDS)
    def advance(self, seconds: float) -> None:
        self.tally.steps += 1
        self.stack.advance(min(seconds, 11))

    @rule(seconds=st.sampled_from([0.0, 2.0, 70.0]))
    def lag(self, seconds: float) -> None:
        self._mishap("index late")
        self.stack.world.requests.index_lag.seconds = seconds

    @rule(seconds=_SECONDS)
    def stall(self, seconds: float) -> None:
        self._mishap("all stalled")
        self.stack.jump(seconds)

    @precondition(lambda self: self.stack.world.queue.message_ids)
    @rule(
        choice=_CHOICE,
        kind=st.sampled_from(["twice", "late", "refused by SNS", "dead-lettered", "lost"]),
    )
    def misdeliver(self, choice: int, kind: str) -> None:
        self._mishap(f"message {kind}")
        if kind == "twice":
            self.stack.world.queue.lapse(choice)
        elif kind == "late":
            self.stack.world.queue.delay(choice, 20)
        elif kind == "refused by SNS":
            self.stack.world.notifier.refusals += 1
        else:
            self.stack.lose_message(choice, is_dead_lettered=kind == "dead-lettered")

    @precondition(lambda self: self.stack.workers)
    @rule(choice=_CHOICE, how=st.sampled_from(["kill", "stop", "freeze", "thaw"]))
    def disturb(self, choice: int, how: str) -> None:
        self._mishap(how)
        worker = self.stack.workers[choice % len(self.stack.workers)]
        if how == "kill":
            self.stack.kill(worker)
        elif how == "stop":
            self.stack.stop(worker, seconds=choice % 4)
        elif how == "freeze":
            self.stack.freeze(worker)
        else:
            self.stack.thaw()

    @precondition(lambda self: len(self.stack.working) < 3)
    @rule(skew_seconds=_SKEW_SECONDS)
    def replace(self, skew_seconds: float) -> None:
        self.tally.steps += 1
        self.stack.start_worker(skew_seconds=skew_seconds)

    def _mishap(self, kind: str) -> None:
        self.tally.steps += 1
        self.tally.mishaps[kind] += 1

    def teardown(self) -> None:
        try:
            if not self.stack.ledger.broken:
                recover(self.stack)
        finally:
            self.tally.count(self.stack)
            self.stack.close()
