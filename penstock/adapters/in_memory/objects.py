"""Payloads and results as a dictionary, each written once."""

from threading import RLock

from penstock.adapters.payload_key import payload_key
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId


class _WriteOnceObjects:
    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._objects: dict[str, tuple[StoredObject, bytes]] = {}
        self._lock = RLock()

    def read(self, stored: StoredObject) -> bytes:
        """Return the bytes of a stored object."""
        with self._lock:
            return self._objects[stored.key][1]

    def _put_once(self, key: str, body: bytes, content_type: str) -> StoredObject:
        new = StoredObject(
            bucket=self._bucket, key=key, content_type=content_type, size_bytes=len(body)
        )
        with self._lock:
            return self._objects.setdefault(key, (new, body))[0]

    def _find(self, key: str) -> StoredObject | None:
        with self._lock:
            return self._objects[key][0] if key in self._objects else None


class InMemoryPayloadStore(_WriteOnceObjects):
    """`PayloadStore` in the bucket `payloads`."""

    def __init__(self) -> None:
        super().__init__("payloads")

    def put(self, request_id: RequestId, payload: bytes, content_type: str) -> StoredObject:
        """Store the payload of a request; a repeat finds it stored."""
        return self._put_once(payload_key(request_id, payload, content_type), payload, content_type)


class InMemoryResultStore(_WriteOnceObjects):
    """`ResultStore` in the bucket `results`."""

    def __init__(self) -> None:
        super().__init__("results")

    def put_result(self, request_id: RequestId, body: bytes, content_type: str) -> StoredObject:
        """Store the result of a request unless it exists."""
        return self._put_once(f"results/{request_id}", body, content_type)

    def put_failure(self, request_id: RequestId, body: bytes) -> StoredObject:
        """Store the failure document of a request unless it exists."""
        return self._put_once(f"failures/{request_id}", body, "application/json")

    def drop_failure(self, request_id: RequestId) -> None:
        """Remove the failure document of a request."""
        with self._lock:
            self._objects.pop(f"failures/{request_id}", None)

    def find_result(self, request_id: RequestId) -> StoredObject | None:
        """Return the result that a dead attempt may have left."""
        return self._find(f"results/{request_id}")

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        """Return a URL that names the object and its lifetime, and leads nowhere."""
        return f"https://{stored.bucket}.invalid/{stored.key}?lifetime_seconds={lifetime_seconds}"
