"""Where payloads, uploads and results lie."""

import hashlib
from urllib.parse import quote

from penstock.contracts.request import RequestId, Tenant

_DIGITS = 16


def payload_key(request_id: RequestId, payload: bytes, content_type: str) -> str:
    """Return the key of a payload: its request and a fingerprint of what it is.

    It is stored before the row, so another payload under the same idempotency key, which the row
    will refuse, must lie somewhere else.
    """
    content = hashlib.sha256(content_type.encode() + b"\0" + payload).hexdigest()
    return f"payloads/{request_id}/{content[:_DIGITS]}"


def uploads_folder(tenant: Tenant) -> str:
    """Return the prefix of a tenant's uploads; quoted, so that no name holds another's."""
    return f"uploads/{quote(tenant, safe='')}/"


def is_upload_of(tenant: Tenant, key: str) -> bool:
    """Whether a key lies in a tenant's folder; no part of it may look as if it led out."""
    folder = uploads_folder(tenant)
    within = key.removeprefix(folder)
    return key.startswith(folder) and not {".", ".."} & set(within.split("/"))


def result_key(request_id: RequestId) -> str:
    """Return the key of a result that was promised no other place."""
    return f"results/{request_id}"


def failure_key(request_id: RequestId) -> str:
    """Return the key of a failure document that was promised no other place."""
    return f"failures/{request_id}"
