"""Results and failure documents in S3."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.adapters.aws.objects.new_object import NewObject
from penstock.adapters.aws.objects.refusals import REFUSALS, reason_of
from penstock.adapters.aws.objects.write_once import WriteOnceBucket
from penstock.adapters.object_keys import failure_key, result_key
from penstock.contracts.errors import PlaceRefusedError
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import Content
from penstock.contracts.request import RequestId


class S3ResultStore(WriteOnceBucket):
    """`ResultStore` over one bucket, writing to places in others too."""

    def put_result(
        self,
        request_id: RequestId,
        body: Content,
        content_type: str,
        *,
        place: Location | None = None,
        http_status: int | None = None,
    ) -> StoredObject:
        """Store the result of a request unless it has one."""
        new = NewObject(
            place=place or self._own(result_key(request_id)),
            body=body,
            content_type=content_type,
            http_status=http_status,
            owner=request_id if place else None,
        )
        with self._at(place):
            return self._put_once(new)

    def put_failure(  # noqa: PLR0913 - where it goes, and all that S3 keeps of it
        self,
        request_id: RequestId,
        body: bytes,
        content_type: str = "application/json",
        *,
        place: Location | None = None,
        http_status: int | None = None,
        attempt: int = 0,
    ) -> StoredObject:
        """Store the failure document of an attempt unless there is one, or a later one."""
        new = NewObject(
            place=place or self._own(failure_key(request_id)),
            body=body,
            content_type=content_type,
            http_status=http_status,
            owner=request_id if place else None,
            attempt=attempt,
        )
        with self._at(place):
            return self._put_once(new)

    def drop_failure(
        self, request_id: RequestId, place: Location | None = None, *, up_to_attempt: int
    ) -> None:
        """Remove the failure document of a request, unless a later attempt stored it."""
        lies_at = place or self._own(failure_key(request_id))
        with self._at(place):
            existing = self._find(lies_at)
            if existing is None or not existing.belongs_to(request_id if place else None):
                return
            if existing.attempt <= up_to_attempt:
                self._remove(existing)

    def find_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        with self._at(place):
            existing = self._find(place or self._own(result_key(request_id)))
        if existing is None or not existing.belongs_to(request_id if place else None):
            return None
        return existing.stored

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a presigned URL; signing is local, no call is made."""
        return self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": stored.bucket,
                "Key": stored.key,
                "ResponseContentType": stored.content_type,
            },
            ExpiresIn=lifetime_seconds,
        )

    @contextmanager
    def _at(self, place: Location | None) -> Iterator[None]:
        """Tell a caller's place that is closed to us from a wrong policy of our own."""
        try:
            yield
        except REFUSALS as error:
            reason = reason_of(error, "using")
            if place is None or place.bucket == self._bucket or reason is None:
                raise
            raise PlaceRefusedError(f"{place.uri} is closed to us: {reason}") from error
