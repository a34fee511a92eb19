"""Telling that a request has ended: the stack's subscribers, and whomever its caller named."""

import logging
from dataclasses import dataclass

from penstock.contracts.errors import ObjectGoneError, PlaceRefusedError, TopicRefusedError
from penstock.contracts.notification import Notification
from penstock.contracts.origin import Location, SageMakerInvocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import AsyncRequest, RequestId, RequestState
from penstock.protocol.failure_documents import document_of_end
from penstock.protocol.objects import RequestObjects
from penstock.protocol.sagemaker_message import RESPONSE_BODY_LIMIT_BYTES, SageMakerMessage

logger = logging.getLogger(__name__)


def notification_of(request: AsyncRequest) -> Notification | None:
    """Return what the stack's subscribers hear; of a cancelled request nothing."""
    return None if request.state is RequestState.CANCELED else Notification.of(request)


def has_promises(request: AsyncRequest) -> bool:
    """Whether its caller was promised more than the stack's own places and topics."""
    return request.destination is not None or request.invocation is not None


@dataclass(frozen=True, kw_only=True)
class Announcing:
    """Keeps what a caller was promised for the end of its request.

    Whoever announces an end does this before the row says that it is announced. All of it may be
    repeated: objects are written once, messages come at least once.
    """

    results: ResultStore
    notifier: Notifier

    def keep_promises(self, request: AsyncRequest) -> None:
        """See to it that exactly one object lies where it must, and tell the caller's topic."""
        if not has_promises(request):
            return
        stored = self._object_of(request)
        if request.invocation is not None and stored is not None:
            self._tell(request, request.invocation, stored)

    def _object_of(self, request: AsyncRequest) -> StoredObject | None:
        """Return the one object, having seen to it that it is there, and no other."""
        if request.state is not RequestState.SUCCEEDED:
            # Nobody else writes it for a request that no worker held when it ended. What a worker
            # has written stays.
            return RequestObjects(self.results).put_failure(request, document_of_end(request))
        if request.attempt > 1 and request.destination is not None:
            # A worker that failed and stalled before it could say so may have left a document.
            self._drop_failure(request.request_id, request.destination.failure)
        return request.result

    def _drop_failure(self, request_id: RequestId, place: Location) -> None:
        try:
            self.results.drop_failure(request_id, place)
        except PlaceRefusedError as refusal:
            logger.warning(
                "failure document may be left beside a result",
                extra={"request_id": request_id, "reason": str(refusal)},
            )

    def _tell(
        self, request: AsyncRequest, invocation: SageMakerInvocation, stored: StoredObject
    ) -> None:
        succeeded = request.state is RequestState.SUCCEEDED
        topic = invocation.success_topic if succeeded else invocation.error_topic
        if topic is None:
            return
        wants_body = ("success" if succeeded else "error") in invocation.include_response_in
        body = self._body_of(stored) if wants_body else None
        message = SageMakerMessage.of(request, invocation, stored, body, topic)
        try:
            self.notifier.publish_to(topic, message.encoded())
        except TopicRefusedError as refusal:
            logger.warning(
                "caller's topic refused the end of its request",
                extra={"request_id": request.request_id, "reason": str(refusal)},
            )

    def _body_of(self, stored: StoredObject) -> bytes | None:
        if stored.size_bytes > RESPONSE_BODY_LIMIT_BYTES:
            return None
        try:
            return self.results.read(stored)
        except ObjectGoneError:
            return None  # its caller owns the place
