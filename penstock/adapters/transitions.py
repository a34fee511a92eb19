"""What a step of the protocol makes of a row, as pure functions that both families share.

Whether a step is allowed is not decided here: the predicates of `AsyncRequest` and the fence do.
"""

from datetime import datetime, timedelta

from penstock.contracts.outcome import (
    Canceled,
    Failed,
    Fault,
    Outcome,
    ServerRefusal,
    StoredObject,
    Succeeded,
)
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus
from penstock.contracts.submission import ROW_LIFETIME

_LEFT_BY_A_CLAIM = ("claim_id", "attempt", "attempts_left", "state", "faults", "result")
_LONGEST_IN_QUEUE = timedelta(days=3)
"""Nobody may ask for more."""

_UNLEASED: dict[str, object] = {"lease_owner": None, "lease_until": None}


def finished(held: AsyncRequest, outcome: Outcome, now: datetime) -> AsyncRequest:
    """Return a held request as its worker ends it."""
    match outcome:
        case Succeeded(result=result):
            ended = {"faults": (), "result": result, "refusal": None}
            return held.moved_to(RequestState.SUCCEEDED, now).model_copy(update=_UNLEASED | ended)
        case Failed(fault=fault, failure=failure):
            # What the server said stays only where that is why the request failed.
            refusal = held.refusal if held.refusal and held.refusal.fault == fault else None
            ended = {"faults": (fault,), "result": failure, "refusal": refusal}
            return held.moved_to(RequestState.FAILED, now).model_copy(update=_UNLEASED | ended)
        case Canceled():
            return canceled(held, now)


def may_expire(request: AsyncRequest, now: datetime) -> bool:
    """Whether its deadline ends it as one that was never claimed."""
    return request.is_past_deadline(now) and not request.was_claimed


def expired(waiting: AsyncRequest, fault: Fault, now: datetime) -> AsyncRequest:
    """Return a request that was never claimed as its deadline ends it."""
    return waiting.moved_to(RequestState.EXPIRED, now).model_copy(update={"faults": (fault,)})


def is_claim(current: AsyncRequest, claim_id: str) -> bool:
    """Whether a row is held by this claim: it was made before, and its answer was lost."""
    return current.state is RequestState.IN_PROGRESS and current.claim_id == claim_id


def was_left_so(current: AsyncRequest, wanted: AsyncRequest) -> bool:
    """Whether a row that its claim holds no more is as a step of this claim would leave it.

    Then the step took effect before, and its answer was lost.
    """
    return all(getattr(current, name) == getattr(wanted, name) for name in _LEFT_BY_A_CLAIM)


def may_be_given_up(current: AsyncRequest, seen: AsyncRequest, now: datetime) -> bool:
    """Whether nobody holds a request and nobody claimed it since it was seen."""
    return (current.state is RequestState.QUEUED or current.is_abandoned(now)) and is_same_stand(
        current, seen
    )


def is_same_stand(current: AsyncRequest, seen: AsyncRequest) -> bool:
    """Whether a request is in the state and the attempt in which it was seen."""
    return (current.state, current.attempt) == (seen.state, seen.attempt)


def released(
    held: AsyncRequest,
    fault: Fault | None,
    now: datetime,
    *,
    counts_as_attempt: bool,
    refusal: ServerRefusal | None,
) -> AsyncRequest:
    """Return a held request as it is given back.

    One that was asked to stop ends here: no worker may claim it again, so it would wait forever.
    """
    if held.cancel_requested:
        return canceled(held, now)
    returned: dict[str, object] = dict(_UNLEASED)
    if fault is not None:
        returned["faults"] = (fault,)
    if not counts_as_attempt:
        returned["attempts_left"] = held.attempts_left + 1
    # A drain does not undo what the server said; a counted attempt does.
    returned["refusal"] = refusal or (None if counts_as_attempt else held.refusal)
    return held.moved_to(RequestState.QUEUED, now).model_copy(update=returned)


def cancellation(request: AsyncRequest, now: datetime, *, force: bool) -> AsyncRequest:
    """Return a request as a caller's wish to cancel leaves it; the same if it came too late."""
    if request.state is RequestState.QUEUED and (force or not request.was_claimed):
        return canceled(request, now)
    if request.state is RequestState.IN_PROGRESS and force:
        return request.model_copy(update={"cancel_requested": True})
    return request


def canceled(request: AsyncRequest, now: datetime) -> AsyncRequest:
    """Return a request that ends without a result; its webhook, if any, is never called."""
    ended: dict[str, object] = {**_UNLEASED, "refusal": None}
    if request.webhook_endpoint is not None:
        ended["webhook_status"] = WebhookStatus.CANCELED
    return request.moved_to(RequestState.CANCELED, now).model_copy(update=ended)


def notified(failure: StoredObject | None, now: datetime) -> dict[str, object]:
    """Return what changes in an ended request when its end has been announced."""
    named = {} if failure is None else {"result": failure}
    return {"notified_at": now, **named}


def webhook_recorded(status: WebhookStatus) -> dict[str, object]:
    """Return what changes when it is known what became of a webhook."""
    restarted = {"webhook_attempts": 0} if status is WebhookStatus.PENDING else {}
    return {"webhook_status": status, **restarted}


def may_be_reopened(request: AsyncRequest) -> bool:
    """Whether an operator may queue it again."""
    return request.state in {RequestState.FAILED, RequestState.EXPIRED}


def reopened(ended: AsyncRequest, now: datetime) -> AsyncRequest:
    """Return a request that did not succeed as an operator queues it again.

    The next attempt number is used up: it counts as claimed, so it does not expire, and whoever
    saw it before it ended cannot take it for what they saw. Should the model server refuse it, it
    has as long in the queue as it had at first.
    """
    in_queue_seconds = ended.max_time_in_queue_seconds
    if in_queue_seconds is None:  # once a row is reopened, its times do not tell any more
        in_queue = min(ended.deadline_at - ended.created_at, _LONGEST_IN_QUEUE)
        in_queue_seconds = round(in_queue.total_seconds())
    # DynamoDB purges by whole seconds; both families shall say the same.
    purge_at = now.replace(microsecond=0) + ROW_LIFETIME + timedelta(seconds=1)
    waiting: dict[str, object] = {
        "state": RequestState.QUEUED,
        "status_at": now,
        "purge_at": max(ended.purge_at, purge_at),
        "attempt": ended.attempt + 1,
        "attempts_left": ended.retry.max_attempts,
        "cancel_requested": False,
        "deadline_at": now + timedelta(seconds=in_queue_seconds),
        "max_time_in_queue_seconds": in_queue_seconds,
        "faults": (),
        "refusal": None,
        "result": None,
        "notified_at": None,
        "webhook_attempts": 0,
    }
    if ended.webhook_endpoint is not None:
        waiting["webhook_status"] = WebhookStatus.PENDING
    return ended.model_copy(update=_UNLEASED | waiting)
