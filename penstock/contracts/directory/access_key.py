"""Access keys: pairs whose secret signs calls, derived from one master secret and never stored."""

import base64
import hmac
import secrets
from datetime import datetime

from penstock.contracts.directory.api_key import ApiKey, sha256_of
from penstock.contracts.request import Tenant

_ID_PREFIX = "PNSK"
_RANDOM_ID_BYTES = 10
"""16 letters and digits in base32."""

_SECRET_BYTES = 30
"""40 characters in base64, as long as a secret of AWS."""


def secret_access_key(access_key_id: str, master_secret: bytes) -> str:
    """Return the secret that belongs to an id under `master_secret`."""
    digest = hmac.digest(master_secret, access_key_id.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_SECRET_BYTES]).decode()


def issue_access_key(
    tenant: Tenant,
    now: datetime,
    master_secret: bytes,
    *,
    name: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Return the row of a new access key, whose prefix is the id, and its secret.

    The row holds a hash of the secret, so a key of another master secret opens nothing.
    """
    random = base64.b32encode(secrets.token_bytes(_RANDOM_ID_BYTES)).decode()
    access_key_id = f"{_ID_PREFIX}{random}"
    secret = secret_access_key(access_key_id, master_secret)
    row = ApiKey(
        prefix=access_key_id,
        secret_sha256=sha256_of(secret),
        tenant=tenant,
        name=name,
        created_at=now,
        expires_at=expires_at,
    )
    return row, secret
