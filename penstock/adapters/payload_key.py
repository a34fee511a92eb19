"""Where a payload lies."""

import hashlib

from penstock.contracts.request import RequestId

_DIGITS = 16


def payload_key(request_id: RequestId, payload: bytes, content_type: str) -> str:
    """Return the key of a payload: its request and a fingerprint of what it is.

    It is stored before the row, so another payload under the same idempotency key, which the row
    will refuse, must lie somewhere else.
    """
    content = hashlib.sha256(content_type.encode() + b"\0" + payload).hexdigest()
    return f"payloads/{request_id}/{content[:_DIGITS]}"
