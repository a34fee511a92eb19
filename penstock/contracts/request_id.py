"""Request ids: they begin with the fingerprint of their model.

Keys of objects and of rows begin with the request's id, so a policy can separate models by prefix.
"""

import hashlib
import re
import uuid

from penstock.contracts.request import RequestId, Tenant

FINGERPRINT_DIGITS = 8
_OWN_DIGITS = 24
_AS_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def model_fingerprint(model_id: str) -> str:
    """Return what the ids of a model's requests begin with; a stack has no two models with one."""
    return hashlib.sha256(model_id.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def fresh_request_id(model_id: str) -> RequestId:
    """Return an id that no request has yet."""
    return RequestId(model_fingerprint(model_id) + uuid.uuid4().hex[:_OWN_DIGITS])


def repeated_request_id(model_id: str, tenant: Tenant, idempotency_key: str) -> RequestId:
    """Return the id that belongs to a tenant's idempotency key at a model.

    The deployment has no part in it: a repeat means the first request after a promotion too.
    """
    # The lengths keep ("a", "b:c") and ("a:b", "c") apart.
    parts = (model_id, tenant, idempotency_key)
    named = "".join(f"{len(part)}:{part}" for part in parts)
    own = hashlib.sha256(named.encode()).hexdigest()[:_OWN_DIGITS]
    return RequestId(model_fingerprint(model_id) + own)


def as_uuid(request_id: RequestId) -> str:
    """Return an id with the hyphens that clients of SageMaker know."""
    return str(uuid.UUID(hex=request_id))


def read_request_id(text: str) -> RequestId:
    """Return the id that a caller writes, with or without those hyphens."""
    return RequestId(text.replace("-", "") if _AS_UUID.fullmatch(text) else text)
