"""The request protocol: the row is the truth, the message a hint, the attempt a fence.

Every method is synchronous and makes its AWS calls in an order in which a crash between any two
loses nothing: what was begun is finished by whoever receives the message next.
"""

import logging
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from penstock.contracts.errors import (
    ClaimRefusedError,
    PlaceRefusedError,
    UnavailableError,
    UnreadableRowError,
)
from penstock.contracts.outcome import (
    Canceled,
    Failed,
    Fault,
    FaultCode,
    ServerRefusal,
    Succeeded,
)
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.objects import Content, PayloadStore, ResultStore
from penstock.contracts.ports.requests import Delivery, RequestStore
from penstock.contracts.request import ABANDONED_AFTER, AsyncRequest, RequestId, RequestState
from penstock.protocol.endings import Endings, worker_died
from penstock.protocol.failure_documents import ModelAnswer, failure_document
from penstock.protocol.loading import Loaded, load
from penstock.protocol.objects import RequestObjects
from penstock.protocol.steps import Announce, Drop, Run, Step, Wait

logger = logging.getLogger(__name__)

_LOOK_AGAIN = Wait(1)
"""The row moved between two looks at it."""

_LONGEST_REST_SECONDS = 600
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, kw_only=True)
class RequestProtocol:
    """What one worker does to rows and objects, over ports."""

    requests: RequestStore
    payloads: PayloadStore
    results: ResultStore
    clock: Clock
    worker: str
    lease_seconds: float
    max_input_bytes: int

    def claim(self, delivery: Delivery, claim_id: str | None = None) -> Step:
        """Take the request of a received message, or say what to do with the message instead.

        Whoever repeats it under the same `claim_id` takes no second attempt.
        """
        request_id = delivery.message.request_id
        try:
            request = self.requests.claim(
                request_id, self.worker, self.lease_seconds, claim_id=claim_id
            )
        except UnreadableRowError:
            logger.warning("request left to another version", extra={"request_id": request_id})
            return self._left_alone(delivery)
        except ClaimRefusedError as refusal:
            return self._refused(delivery, refusal.current)
        try:
            return self.resume(request)
        except UnavailableError as error:
            # It is ours all the same: whoever holds it can wait, and keep it meanwhile.
            logger.warning("result not looked for", extra=_keys(request) | {"reason": str(error)})
            return Run(request, may_be_done=True)

    def resume(self, request: AsyncRequest) -> Step:
        """Return what becomes of a claimed request, given what earlier attempts left."""
        if request.attempt > 1 and (left := self._objects.find_result(request)):
            # An attempt stored its result and died before it could say so.
            logger.info("result adopted", extra=_keys(request))
            return Announce(self.requests.finish(request, Succeeded(result=left)))
        if request.cancel_requested:
            return self.cancel(request)  # asked to stop while its last worker died
        return Run(request)

    def load(self, delivery: Delivery) -> Loaded:
        """Return the payload, from the message or from S3; raise `InputUnreadableError`."""
        return load(self.payloads, delivery.message, self.max_input_bytes)

    def is_own_input(self, delivery: Delivery) -> bool:
        """Whether the payload lies in our own bucket, or came with the message."""
        location = delivery.message.location
        return location is None or location.bucket == self.payloads.bucket

    def renew(self, request: AsyncRequest) -> AsyncRequest:
        """Extend the lease; raise `LeaseLostError` if it is no longer ours."""
        return self.requests.renew(request, self.lease_seconds)

    def wanted_to_stop(self, request_ids: Collection[RequestId]) -> Collection[RequestId]:
        """Return those whose callers asked them to stop."""
        return self.requests.wanted_to_stop(request_ids)

    def succeed(
        self,
        request: AsyncRequest,
        body: Content,
        content_type: str,
        http_status: int | None = None,
    ) -> Step:
        """Store the answer, then finish; raise `LeaseLostError` if it is no longer ours."""
        return self.end(request, self.store(request, body, content_type, http_status))

    def store(
        self, request: AsyncRequest, body: Content, content_type: str, http_status: int | None
    ) -> Succeeded | Failed:
        """Store the answer, or why it cannot be; return how the request is to end."""
        request = self._still_held(request)
        try:
            stored = self._objects.put_result(request, body, content_type, http_status)
        except PlaceRefusedError as refusal:
            # Another run of the model would meet the same refusal.
            return self._store_failure(request, _not_stored(refusal))
        return Succeeded(result=stored)

    def end(self, request: AsyncRequest, end: Succeeded | Failed) -> Step:
        """Finish a request whose object lies there; raise `LeaseLostError`."""
        return Announce(self.requests.finish(request, end))

    def has_own_places(self, request: AsyncRequest) -> bool:
        """Whether all its objects lie in our own bucket."""
        return self._objects.are_ours(request)

    def give_up_place(self, request: AsyncRequest) -> Succeeded | Failed:
        """Return the end of a request whose answer its caller's place did not take for too long.

        The place may have taken it, unheard.
        """
        request = self._still_held(request)
        if left := self._objects.find_result(request):
            return Succeeded(result=left)
        place = request.destination.result.uri if request.destination else "its place"
        refusal = PlaceRefusedError(f"{place} stayed unavailable")
        return self._store_failure(request.without_place, _not_stored(refusal))

    def fail(self, request: AsyncRequest, fault: Fault, answer: ModelAnswer | None = None) -> Step:
        """Queue the request for its next attempt, or finish it when none is left or would help.

        `answer` is what the model server itself said, if it did.
        """
        if self.tries_again(request, fault, answer):
            released = self.requests.release(request, fault, counts_as_attempt=True)
            return Wait(released.retry.delay_seconds(released.failed_attempts))
        return self.end(request, self.store_failure(request, fault, answer))

    def tries_again(
        self, request: AsyncRequest, fault: Fault, answer: ModelAnswer | None = None
    ) -> bool:
        """Whether a request that failed so gets another attempt."""
        # Silence until the time was up is an answer too: it came from the model, not from a loss.
        is_answer = answer is not None or fault.code is FaultCode.MODEL_PREDICT_TIMEOUT
        may_help = fault.code.is_retried and (request.retry.retries_answers or not is_answer)
        return may_help and request.attempts_left > 0

    def store_failure(
        self, request: AsyncRequest, fault: Fault, answer: ModelAnswer | None = None
    ) -> Failed:
        """Store the document of a failure that is final; return how the request is to end."""
        return self._store_failure(self._still_held(request), fault, answer)

    def give_back(self, request: AsyncRequest, delay_seconds: float = 0) -> Step:
        """Leave the request to another worker; this attempt does not count."""
        self.requests.release(request, None, counts_as_attempt=False)
        return Wait(delay_seconds)

    def put_back(self, request: AsyncRequest, answer: ModelAnswer) -> Step:
        """Let a request rest in the queue that the model server refused; it is no attempt.

        Its time in the queue runs on from when it was accepted, and ends it with this answer.
        """
        refusal = ServerRefusal.of(
            answer.http_status,
            answer.content_type,
            answer.body,
            times=request.refusal.times + 1 if request.refusal else 1,
        )
        waiting = self.requests.release(request, None, counts_as_attempt=False, refusal=refusal)
        now = self.clock()
        if waiting.state.is_terminal:
            return Announce(waiting)
        if waiting.is_past_deadline(now):
            return self._expire(waiting)
        left_seconds = (waiting.deadline_at - now).total_seconds()
        return Wait(min(refusal.rest_seconds, left_seconds))

    def cancel(self, request: AsyncRequest) -> Step:
        """Finish a request whose caller asked it to stop."""
        return Announce(self.requests.finish(request, Canceled()))

    def _store_failure(
        self, request: AsyncRequest, fault: Fault, answer: ModelAnswer | None = None
    ) -> Failed:
        failure = self._objects.put_failure(request, failure_document(request, fault, answer))
        return Failed(fault=fault, failure=failure)

    def _still_held(self, request: AsyncRequest) -> AsyncRequest:
        """Ask before an object is written if we stalled past our lease: we may be replaced.

        The row is fenced, objects are not: ours would lie beside that of who replaced us.
        """
        return request if request.is_leased(self.clock()) else self.renew(request)

    def _refused(self, delivery: Delivery, current: AsyncRequest | None) -> Step:
        if current is None:
            return Drop()
        if not current.state.is_known:
            return self._left_alone(delivery)
        return (
            Announce(current) if current.state.is_terminal else self._unclaimed(delivery, current)
        )

    def _unclaimed(self, delivery: Delivery, current: AsyncRequest) -> Step:
        """Return what becomes of the message of an open request that cannot be claimed."""
        now = self.clock()
        if current.is_past_deadline(now):
            return self._expire(current)
        if (held_until := _held_until(current)) is not None and held_until >= now:
            left_seconds = math.ceil((held_until - now).total_seconds()) + 1
            held_seconds = max(0.0, (now - current.status_at).total_seconds())
            # Refusals and returns count as receives too: it may be no duplicate at all, and must
            # not sleep long when the worker has died.
            rest_seconds = min(held_seconds, _rest_seconds(delivery), self.lease_seconds)
            return Wait(left_seconds + rest_seconds)
        if current.attempts_left <= 0:
            failed = self._endings.give_up(current, worker_died(current))
            return Announce(failed) if failed else _LOOK_AGAIN
        return _LOOK_AGAIN

    def _expire(self, waiting: AsyncRequest) -> Step:
        ended = self._endings.expire(waiting)
        return Announce(ended) if ended else _LOOK_AGAIN

    def _left_alone(self, delivery: Delivery) -> Step:
        """Return what becomes of the message of a request that only another version can work on."""
        return Wait(self.lease_seconds + _rest_seconds(delivery))

    @property
    def _objects(self) -> RequestObjects:
        return RequestObjects(self.results)

    @property
    def _endings(self) -> Endings:
        return Endings(requests=self.requests, results=self.results)


def _held_until(current: AsyncRequest) -> datetime | None:
    """Return until when a request must be left to its worker, if it has one.

    The next attempt may begin when the lease has lapsed; its end may not be told so soon.
    """
    if current.state is not RequestState.IN_PROGRESS or current.lease_until is None:
        return None
    return current.lease_until + (timedelta(0) if current.attempts_left > 0 else ABANDONED_AFTER)


def _rest_seconds(delivery: Delivery) -> float:
    """Return how long a message rests beyond a lease that keeps it from being worked on.

    Each receive counts towards its end as a dead letter.
    """
    doublings = min(delivery.receive_count - 1, _MOST_DOUBLINGS)
    return float(min(2**doublings - 1, _LONGEST_REST_SECONDS))


def _not_stored(refusal: PlaceRefusedError) -> Fault:
    message = f"The model answered, but its answer could not be stored: {refusal}."
    return Fault(code=FaultCode.INTERNAL_SERVER_ERROR, message=message)


def _keys(request: AsyncRequest) -> dict[str, object]:
    return {"request_id": request.request_id, "attempt": request.attempt}
