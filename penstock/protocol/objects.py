"""The objects of a request, where its caller was promised them or at the stack's own places."""

import logging
from dataclasses import dataclass

from penstock.contracts.errors import PlaceRefusedError, UnavailableError
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import Content, ResultStore
from penstock.contracts.request import AsyncRequest
from penstock.protocol.failure_documents import FailureDocument

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestObjects:
    """Results and failure documents by request."""

    results: ResultStore

    def are_ours(self, request: AsyncRequest) -> bool:
        """Whether all objects of this request lie in our own bucket, promised places included."""
        promised = request.destination
        return promised is None or (
            self.is_ours(promised.result) and self.is_ours(promised.failure)
        )

    def is_ours(self, place: Location | None) -> bool:
        """Whether a place lies in our own bucket, whose outages we wait for."""
        return place is None or place.bucket == self.results.bucket

    def find_result(self, request: AsyncRequest, *, may_wait: bool = False) -> StoredObject | None:
        """Return the result that a dead attempt may have left where we can see it.

        Unless it `may_wait`, there is none to be seen at a caller's place that is unavailable:
        another run costs less than an attempt for every look, and stores nothing beside what lies
        there.
        """
        place = request.destination.result if request.destination else None
        try:
            return self.results.find_result(request.request_id, place)
        except PlaceRefusedError:
            return None
        except UnavailableError as error:
            if may_wait or self.is_ours(place):
                raise
            logger.warning(
                "promised place was not looked at",
                extra={"request_id": request.request_id, "reason": str(error)},
            )
            return None

    def put_result(
        self, request: AsyncRequest, body: Content, content_type: str, http_status: int | None
    ) -> StoredObject:
        """Store the result; raise `PlaceRefusedError`."""
        return self.results.put_result(
            request.request_id,
            body,
            content_type,
            place=request.destination.result if request.destination else None,
            http_status=http_status,
        )

    def put_failure(
        self, request: AsyncRequest, document: FailureDocument, *, may_wait: bool = True
    ) -> StoredObject:
        """Store the failure document; at our own place if the promised one refuses it.

        Otherwise a request could not end whose place is gone. Unless it `may_wait`, a caller's
        place that is unavailable counts as one that refuses.
        """
        place = request.destination.failure if request.destination else None
        try:
            return self.results.put_failure(
                request.request_id,
                document.body,
                document.content_type,
                place=place,
                http_status=document.http_status,
                attempt=request.attempt,
            )
        except (PlaceRefusedError, UnavailableError) as refusal:
            if self.is_ours(place) or (may_wait and isinstance(refusal, UnavailableError)):
                raise
            logger.warning(
                "failure document kept at our own place",
                extra={"request_id": request.request_id, "reason": str(refusal)},
            )
            return self.results.put_failure(
                request.request_id,
                document.body,
                document.content_type,
                http_status=document.http_status,
                attempt=request.attempt,
            )
