"""Payloads and results in S3."""

from typing import Protocol

from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId


class PayloadStore(Protocol):
    """Inputs too large for a message. All methods raise `UnavailableError`."""

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request under `payloads/<request_id>/<fingerprint>`.

        Another payload of the same request lies under another key; a repeat finds the first.
        """
        ...

    def read(self, stored: StoredObject) -> bytes:
        """Return a stored payload."""
        ...


class ResultStore(Protocol):
    """Results and failure documents, each written once. All methods raise `UnavailableError`."""

    def put_result(self, request_id: RequestId, body: bytes, content_type: str) -> StoredObject:
        """Store `results/<request_id>` unless it exists; return what lies there then.

        `If-None-Match: *` keeps a zombie from overwriting; what an attempt left that died before
        it could say so is adopted.
        """
        ...

    def put_failure(self, request_id: RequestId, body: bytes) -> StoredObject:
        """Store `failures/<request_id>` (JSON) unless it exists; return what lies there then."""
        ...

    def drop_failure(self, request_id: RequestId) -> None:
        """Remove `failures/<request_id>`, if there is one, before the request runs again."""
        ...

    def find_result(self, request_id: RequestId) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        ...

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a result."""
        ...

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a presigned HTTPS URL to read a result."""
        ...
