"""Telling that a request has ended: the stack's subscribers, and whomever its caller named."""

import logging
from dataclasses import dataclass

from penstock.contracts.errors import (
    ObjectGoneError,
    PlaceRefusedError,
    TopicRefusedError,
    UnavailableError,
)
from penstock.contracts.notification import Notification
from penstock.contracts.origin import Location, SageMakerInvocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.failure_documents import document_of_end
from penstock.protocol.objects import RequestObjects
from penstock.protocol.sagemaker_message import RESPONSE_BODY_LIMIT_BYTES, SageMakerMessage

logger = logging.getLogger(__name__)


def notification_of(request: AsyncRequest) -> Notification | None:
    """Return what the stack's subscribers hear; of a cancelled request nothing."""
    return None if request.state is RequestState.CANCELED else Notification.of(request)


def touches_callers_places(request: AsyncRequest) -> bool:
    """Whether its caller was promised an object at a place, or a message, of its own."""
    return request.destination is not None or request.invocation is not None


def is_prepared(request: AsyncRequest) -> bool:
    """Whether nothing is left to store, or to tell its caller, before an end is published."""
    names_all = request.result is not None or request.state is RequestState.CANCELED
    return names_all and not touches_callers_places(request)


def failure_to_name(ended: AsyncRequest, told: AsyncRequest) -> StoredObject | None:
    """Return the failure document that the row is still to name."""
    return told.result if told.result != ended.result else None


@dataclass(frozen=True, kw_only=True)
class Announcing:
    """Does what must be done for an end before the stack's subscribers hear of it.

    Whoever announces an end does this, then publishes, then marks the row. Nothing is published
    while a step before it fails, and after a crash all may be repeated: objects are written once,
    messages come at least once.
    """

    results: ResultStore
    notifier: Notifier

    def prepare(self, ended: AsyncRequest, *, may_wait: bool = True) -> AsyncRequest:
        """Return an ended request with the object that lies there for it.

        See to it that exactly one object lies where it must, and tell the caller's own topic.

        Args:
            ended: The row.
            may_wait: Whether this may be tried again when a place or topic of the caller is
                unavailable. Otherwise it counts as one that refuses.

        Raises:
            UnavailableError: AWS failed.
        """
        if is_prepared(ended):
            return ended
        stored = self._object_of(ended, may_wait=may_wait)
        if ended.invocation is not None and stored is not None:
            try:
                self._tell(ended, ended.invocation, stored)
            except UnavailableError as error:
                if may_wait:
                    raise
                _log_unheard(ended, error)
        return ended.model_copy(update={"result": stored})

    def needs_its_caller(self, ended: AsyncRequest) -> bool:
        """Whether `prepare` uses a place or topic in its caller's care."""
        has_topic = ended.invocation is not None and _topic_of(ended, ended.invocation) is not None
        return has_topic or not RequestObjects(self.results).are_ours(ended)

    def _object_of(self, request: AsyncRequest, *, may_wait: bool) -> StoredObject | None:
        """Return the one object, having seen to it that it is there, and no other."""
        if request.state is RequestState.SUCCEEDED:
            if request.attempt > 1 and request.destination is not None:
                # A worker that failed and stalled before it could say so may have left a document.
                self._drop_failure(request, request.destination.failure, may_wait=may_wait)
            return request.result
        if request.result is not None:
            return request.result  # stored by the worker that ended it, with the model's answer
        if request.state is RequestState.CANCELED and request.destination is None:
            return None  # nobody waits for it anywhere
        document = document_of_end(request)
        return RequestObjects(self.results).put_failure(request, document, may_wait=may_wait)

    def _drop_failure(self, request: AsyncRequest, place: Location, *, may_wait: bool) -> None:
        try:
            self.results.drop_failure(request.request_id, place, up_to_attempt=request.attempt)
        except (PlaceRefusedError, UnavailableError) as refusal:
            is_ours = RequestObjects(self.results).is_ours(place)
            if isinstance(refusal, UnavailableError) and (may_wait or is_ours):
                raise
            logger.warning(
                "failure document may be left beside a result",
                extra={"request_id": request.request_id, "reason": str(refusal)},
            )

    def _tell(
        self, request: AsyncRequest, invocation: SageMakerInvocation, stored: StoredObject
    ) -> None:
        if (topic := _topic_of(request, invocation)) is None:
            return
        succeeded = request.state is RequestState.SUCCEEDED
        wants_body = ("success" if succeeded else "error") in invocation.include_response_in
        body = self._body_of(stored) if wants_body else None
        message = SageMakerMessage.of(request, invocation, stored, body, topic)
        try:
            self.notifier.publish_to(topic, message.encoded())
        except TopicRefusedError as refusal:
            _log_unheard(request, refusal)

    def _body_of(self, stored: StoredObject) -> bytes | None:
        if stored.size_bytes > RESPONSE_BODY_LIMIT_BYTES:
            return None
        try:
            return self.results.read(stored)
        except ObjectGoneError:
            return None  # its caller owns the place


def _topic_of(ended: AsyncRequest, invocation: SageMakerInvocation) -> str | None:
    succeeded = ended.state is RequestState.SUCCEEDED
    return invocation.success_topic if succeeded else invocation.error_topic


def _log_unheard(request: AsyncRequest, reason: Exception) -> None:
    logger.warning(
        "caller's topic refused the end of its request",
        extra={"request_id": request.request_id, "reason": str(reason)},
    )
