"""Fixed ways of one request through the whole stack, and how each must end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from penstock.contracts.request import RequestId, RequestState, RetryPolicy
from penstock.contracts.submission import Submission
from tests.faults.behaviours import (
    GIVEN_UP,
    answers,
    answers_an_error,
    answers_an_error_once,
    dies_with_its_message,
    fails,
    fails_once,
    fails_until_redriven,
    is_busy_once,
    is_cancelled,
    is_delivered_twice,
    is_drained_once,
    is_refused,
    is_refused_once,
    leaves_dead_copies,
    redrives_once,
    refuses_input,
    repeats_while_swept,
)
from tests.faults.model import ModelCall
from tests.faults.promises import INPUT, NO_INPUT, sagemaker_submission
from tests.faults.stack import Stack
from tests.faults.world import ACME, NO_TOPIC


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

    has_closed_places: bool = False
    """Whether the bucket of its caller's places lets us do nothing."""

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
        model=is_refused_once,
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
    Scenario(name="bad input", model=refuses_input, ends=(RequestState.FAILED,)),
    Scenario(
        name="one attempt",
        model=answers,
        max_attempts=1,
        ends=(RequestState.SUCCEEDED, RequestState.FAILED),
    ),
    Scenario(
        name="cancelled while running",
        model=is_cancelled,
        ends=(RequestState.CANCELED, RequestState.SUCCEEDED),
    ),
    Scenario(
        name="delivered twice",
        model=is_delivered_twice,
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
        model=dies_with_its_message,
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
        meanwhile=leaves_dead_copies,
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
        model=fails_until_redriven,
        meanwhile=redrives_once,
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
        model=answers_an_error_once,
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
        model=is_cancelled,
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
        meanwhile=repeats_while_swept,
        sagemaker=GIVEN_UP,
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
