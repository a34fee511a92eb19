"""Payloads and results in S3."""

from typing import BinaryIO, Protocol

from penstock.contracts.contract import Contract
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId, Tenant

Content = bytes | BinaryIO
"""Bytes of what is small; an open, seekable file of what may be larger than memory."""


class Upload(Contract):
    """A place that a caller may write once with plain HTTPS."""

    location: Location
    """What to name as the input afterwards."""

    url: str
    method: str = "PUT"
    headers: dict[str, str]
    """To be sent along; the signature covers them."""

    expires_in_seconds: int


class PayloadStore(Protocol):
    """Inputs too large for a message. All methods raise `UnavailableError`."""

    @property
    def bucket(self) -> str:
        """Our own bucket, in which uploads lie too; inputs elsewhere are in their callers' care."""
        ...

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request under `payloads/<request_id>/<fingerprint>`.

        Another payload of the same request lies under another key; a repeat finds the first.
        """
        ...

    def read(self, stored: StoredObject) -> bytes:
        """Return a stored payload; raise `ObjectGoneError` if it is no longer there."""
        ...

    def fetch(self, location: InputLocation, into: BinaryIO, max_bytes: int) -> str:
        """Copy what a caller put somewhere to the end of `into`; return its content type.

        The type is the location's, else the object's, else `application/octet-stream`.

        Raises:
            InputUnreadableError: it is absent, forbidden, or larger than `max_bytes`.
        """
        ...

    def upload(self, tenant: Tenant, content_type: str, lifetime_seconds: int) -> Upload:
        """Return a fresh place `uploads/<tenant>/...` that whoever has the URL may write."""
        ...

    def may_read(self, tenant: Tenant, location: Location) -> bool:
        """Whether it is an upload of this tenant."""
        ...


class ResultStore(Protocol):
    """Results and failure documents, each written once. All methods raise `UnavailableError`.

    They lie at `results/<request_id>` and `failures/<request_id>`, or at the `place` that a caller
    was promised. What another request left at such a place is replaced, as the caller chose it.
    Whatever is done at such a place raises `PlaceRefusedError` if its bucket does not let us,
    unless that is our own.
    """

    @property
    def bucket(self) -> str:
        """Our own bucket; promised places may lie there too."""
        ...

    def put_result(
        self,
        request_id: RequestId,
        body: Content,
        content_type: str,
        *,
        place: Location | None = None,
        http_status: int | None = None,
    ) -> StoredObject:
        """Store a result unless this request has one there; return what lies there then.

        A file is read from its start. `If-None-Match: *` keeps a zombie from overwriting; what an
        attempt left that died before it could say so is adopted.
        """
        ...

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
        """Store a failure document of an attempt; return what lies there then.

        One that this request has of the same attempt or a later one stays, an earlier one is
        replaced.
        """
        ...

    def drop_failure(
        self, request_id: RequestId, place: Location | None = None, *, up_to_attempt: int
    ) -> None:
        """Remove the failure document of this request, unless a later attempt stored it."""
        ...

    def find_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        """Return the result that a dead attempt of this request may have left."""
        ...

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a result; raise `ObjectGoneError` if it is no longer there."""
        ...

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a presigned HTTPS URL to read a result."""
        ...
