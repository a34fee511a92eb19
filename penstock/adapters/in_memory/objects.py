"""Payloads and results as a dictionary, each written once."""

import uuid
from dataclasses import dataclass
from threading import RLock
from typing import BinaryIO

from penstock.adapters.contents import in_memory
from penstock.adapters.object_keys import (
    failure_key,
    is_upload_of,
    payload_key,
    result_key,
    uploads_folder,
)
from penstock.contracts.errors import InputUnreadableError, ObjectGoneError, PlaceRefusedError
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import Content, Upload
from penstock.contracts.request import RequestId, Tenant


@dataclass(frozen=True)
class _Lying:
    stored: StoredObject
    body: bytes
    owner: RequestId | None = None
    """Whose it is, at a place where another request's may lie."""

    attempt: int = 0


class _WriteOnceObjects:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._objects: dict[str, _Lying] = {}
        """By URI."""

        self._lock = RLock()

    @property
    def bucket(self) -> str:
        """Our own bucket."""
        return self._bucket

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a stored object."""
        with self._lock:
            if stored.uri not in self._objects:
                raise ObjectGoneError(stored.uri)
            return self._objects[stored.uri].body

    def remove(self, stored: StoredObject) -> None:
        """Let an object pass away, as the lifecycle of its bucket may."""
        with self._lock:
            self._objects.pop(stored.uri, None)

    def _own(self, key: str) -> Location:
        return Location(bucket=self._bucket, key=key)

    def _put_once(  # noqa: PLR0913 - where it goes, and all that S3 keeps of it
        self,
        place: Location,
        body: Content,
        content_type: str,
        *,
        owner: RequestId | None = None,
        http_status: int | None = None,
        attempt: int = 0,
    ) -> StoredObject:
        content = in_memory(body)
        new = StoredObject(
            bucket=place.bucket,
            key=place.key,
            content_type=content_type,
            size_bytes=len(content),
            http_status=http_status,
        )
        with self._lock:
            existing = self._objects.get(place.uri)
            if existing is None or existing.owner != owner or existing.attempt < attempt:
                existing = self._objects[place.uri] = _Lying(new, content, owner, attempt)
            return existing.stored

    def _find(self, place: Location, owner: RequestId | None = None) -> StoredObject | None:
        with self._lock:
            existing = self._objects.get(place.uri)
            return existing.stored if existing is not None and existing.owner == owner else None


class InMemoryPayloadStore(_WriteOnceObjects):
    """`PayloadStore` in the bucket `payloads`."""

    def __init__(self) -> None:
        super().__init__("payloads")

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request; a repeat finds it stored."""
        place = self._own(payload_key(request_id, payload, content_type))
        return self._put_once(place, payload, content_type)

    def place(self, location: Location, body: bytes, content_type: str) -> None:
        """Put an object somewhere, as a caller does over S3 or with the URL of an upload."""
        self._put_once(location, body, content_type)

    def fetch(self, location: InputLocation, into: BinaryIO, max_bytes: int) -> str:
        """Copy what a caller put somewhere."""
        with self._lock:
            found = self._objects.get(location.uri)
        reason = "there is no such object"
        if found is not None:
            if found.stored.size_bytes <= max_bytes:
                into.write(found.body)
                return location.content_type or found.stored.content_type
            reason = f"{found.stored.size_bytes} bytes are more than {max_bytes}"
        raise InputUnreadableError(f"The input {location.uri} cannot be read: {reason}.")

    def upload(self, tenant: Tenant, content_type: str, lifetime_seconds: int) -> Upload:
        """Return a fresh place whose URL leads nowhere."""
        place = self._own(f"{uploads_folder(tenant)}{uuid.uuid4()}")
        return Upload(
            location=place,
            url=f"https://{place.bucket}.invalid/{place.key}?lifetime_seconds={lifetime_seconds}",
            headers={"Content-Type": content_type, "If-None-Match": "*"},
            expires_in_seconds=lifetime_seconds,
        )

    def may_read(self, tenant: Tenant, location: Location) -> bool:
        """Whether it is an upload of this tenant."""
        return location.bucket == self._bucket and is_upload_of(tenant, location.key)


class InMemoryResultStore(_WriteOnceObjects):
    """`ResultStore` in the bucket `results`, and in any place."""

    def __init__(self) -> None:
        super().__init__("results")
        self.closed_buckets: set[str] = set()
        """Buckets that let us do nothing."""

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
        self._check(place)
        return self._put_once(
            place or self._own(result_key(request_id)),
            body,
            content_type,
            owner=request_id if place else None,
            http_status=http_status,
        )

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
        self._check(place)
        return self._put_once(
            place or self._own(failure_key(request_id)),
            body,
            content_type,
            owner=request_id if place else None,
            http_status=http_status,
            attempt=attempt,
        )

    def drop_failure(
        self, request_id: RequestId, place: Location | None = None, *, up_to_attempt: int
    ) -> None:
        """Remove the failure document of a request, unless a later attempt stored it."""
        self._check(place)
        uri = (place or self._own(failure_key(request_id))).uri
        owner = request_id if place else None
        with self._lock:
            lying = self._objects.get(uri)
            if lying is not None and lying.owner == owner and lying.attempt <= up_to_attempt:
                del self._objects[uri]

    def find_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        self._check(place)
        owner = request_id if place else None
        return self._find(place or self._own(result_key(request_id)), owner)

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a URL that names the object and its lifetime, and leads nowhere."""
        return f"https://{stored.bucket}.invalid/{stored.key}?lifetime_seconds={lifetime_seconds}"

    def _check(self, place: Location | None) -> None:
        if place is None or place.bucket == self._bucket:
            return  # a wrong policy of our own is no refusal of a caller's place
        if place.bucket in self.closed_buckets:
            raise PlaceRefusedError(f"{place.uri} is closed to us (AccessDenied)")
