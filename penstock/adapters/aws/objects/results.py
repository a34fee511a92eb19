"""Results and failure documents in S3."""

from penstock.adapters.aws.availability import aws_call
from penstock.adapters.aws.objects.new_object import NewObject
from penstock.adapters.aws.objects.write_once import WriteOnceBucket
from penstock.adapters.object_keys import failure_key, result_key
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
        return self._put_once(new)

    def put_failure(
        self,
        request_id: RequestId,
        body: bytes,
        content_type: str = "application/json",
        *,
        place: Location | None = None,
        http_status: int | None = None,
    ) -> StoredObject:
        """Store the failure document of a request unless it has one."""
        new = NewObject(
            place=place or self._own(failure_key(request_id)),
            body=body,
            content_type=content_type,
            http_status=http_status,
            owner=request_id if place else None,
        )
        return self._put_once(new)

    def drop_failure(self, request_id: RequestId, place: Location | None = None) -> None:
        """Remove the failure document of a request."""
        place = place or self._own(failure_key(request_id))
        with aws_call("drop failure document"):
            self._s3.delete_object(Bucket=place.bucket, Key=place.key)

    def find_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        existing = self._find(place or self._own(result_key(request_id)))
        is_its_own = existing is not None and existing.belongs_to(request_id if place else None)
        return existing.stored if existing is not None and is_its_own else None

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
