"""The request protocol: the row is the truth, the message a hint, the attempt a fence.

Every method is synchronous and makes its AWS calls in an order in which a crash between any two
loses nothing: what was begun is finished by whoever receives the message next.
"""

import json
import logging
import math
from dataclasses import dataclass

from penstock.contracts.errors import ClaimRefusedError
from penstock.contracts.outcome import Canceled, Failed, Fault, FaultCode, StoredObject, Succeeded
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.objects import PayloadStore, ResultStore
from penstock.contracts.ports.requests import Delivery, RequestStore
from penstock.contracts.request import AsyncRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """The request is ours: call the model."""

    request: AsyncRequest


@dataclass(frozen=True)
class Announce:
    """The request has ended: tell the world if that was not done, then delete the message."""

    request: AsyncRequest


@dataclass(frozen=True)
class Wait:
    """Not now: make the message visible again after so long."""

    seconds: float


@dataclass(frozen=True)
class Drop:
    """Nothing to do, ever: delete the message."""


Step = Run | Announce | Wait | Drop
"""What becomes of a message next."""


@dataclass(frozen=True, kw_only=True)
class RequestProtocol:
    """What one worker does to rows and objects, over ports."""

    requests: RequestStore
    payloads: PayloadStore
    results: ResultStore
    clock: Clock
    worker: str
    lease_seconds: float

    def claim(self, delivery: Delivery) -> Step:
        """Take the request of a received message, or say what to do with the message instead."""
        request_id = delivery.message.request_id
        try:
            request = self.requests.claim(request_id, self.worker, self.lease_seconds)
        except ClaimRefusedError as refusal:
            return self._refused(refusal.current)
        if request.attempt > 1 and (left := self.results.find_result(request_id)):
            # An attempt stored its result and died before it could say so.
            logger.info("result adopted", extra=_keys(request))
            return Announce(self.requests.finish(request, Succeeded(result=left)))
        return Run(request)

    def load(self, delivery: Delivery) -> bytes:
        """Return the payload, from the message or from S3."""
        message = delivery.message
        if message.stored is not None:
            return self.payloads.read(message.stored)
        return message.inline_payload or b""

    def renew(self, request: AsyncRequest) -> AsyncRequest:
        """Extend the lease; raise `LeaseLostError` if it is no longer ours."""
        return self.requests.renew(request, self.lease_seconds)

    def succeed(self, request: AsyncRequest, body: bytes, content_type: str) -> Step:
        """Store the answer, then finish; raise `LeaseLostError` if it is no longer ours."""
        stored = self.results.put_result(request.request_id, body, content_type)
        return Announce(self.requests.finish(request, Succeeded(result=stored)))

    def fail(self, request: AsyncRequest, fault: Fault) -> Step:
        """Queue the request for its next attempt, or finish it when none is left or would help."""
        if fault.code.is_retried and request.attempts_left > 0:
            released = self.requests.release(request, fault, counts_as_attempt=True)
            return Wait(released.retry.delay_seconds(released.failed_attempts))
        failure = self._store_failure(request, fault)
        return Announce(self.requests.finish(request, Failed(fault=fault, failure=failure)))

    def give_back(self, request: AsyncRequest, delay_seconds: float = 0) -> Step:
        """Leave the request to another worker; this attempt does not count."""
        self.requests.release(request, None, counts_as_attempt=False)
        return Wait(delay_seconds)

    def cancel(self, request: AsyncRequest) -> Step:
        """Finish a request whose caller asked it to stop."""
        return Announce(self.requests.finish(request, Canceled()))

    def _refused(self, current: AsyncRequest | None) -> Step:
        if current is None:
            return Drop()
        now = self.clock()
        if current.state.is_terminal:
            return Announce(current)
        if current.is_past_deadline(now):
            return self._expire(current)
        if current.is_leased(now) and current.lease_until:
            return Wait(math.ceil((current.lease_until - now).total_seconds()) + 1)
        if current.attempts_left <= 0:
            return self._abandon(current)
        return Wait(1)  # the row moved between the claim and the look at it

    def _expire(self, request: AsyncRequest) -> Step:
        waited = round((request.deadline_at - request.created_at).total_seconds())
        message = f"Not started within max_time_in_queue_seconds ({waited} s)."
        fault = Fault(code=FaultCode.MODEL_UNAVAILABLE, message=message)
        self._store_failure(request, fault)
        try:
            return Announce(self.requests.expire(request.request_id))
        except ClaimRefusedError:
            return Wait(1)

    def _abandon(self, request: AsyncRequest) -> Step:
        message = f"The worker died in attempt {request.failed_attempts}, the last one allowed."
        fault = Fault(code=FaultCode.MODEL_UNAVAILABLE, message=message)
        self._store_failure(request, fault)
        try:
            return Announce(self.requests.abandon(request.request_id, fault))
        except ClaimRefusedError:
            return Wait(1)

    def _store_failure(self, request: AsyncRequest, fault: Fault) -> StoredObject:
        document = {
            "request_id": request.request_id,
            "model_id": request.model_id,
            "deployment_id": request.deployment_id,
            "errors": [fault.model_dump(mode="json")],
        }
        return self.results.put_failure(request.request_id, json.dumps(document).encode())


def _keys(request: AsyncRequest) -> dict[str, object]:
    return {"request_id": request.request_id, "attempt": request.attempt}
