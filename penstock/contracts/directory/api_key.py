"""API keys: what is stored of them, and how one is issued and checked."""

import hashlib
import hmac
import secrets
import string
from datetime import datetime
from typing import Self

from penstock.contracts.contract import Contract, UtcDatetime
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.request import Tenant

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH, _SECRET_LENGTH = 8, 40
_LONGEST_PREFIX = 64  # an access key's id has 20; DynamoDB refuses keys of over 2,048 bytes


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def sha256_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKey(Contract):
    """A key as it is stored: addressed by its prefix, the secret only as SHA-256.

    A plain hash is enough because the secret is random and long (238 bits), not a password.
    """

    prefix: str
    secret_sha256: str
    tenant: Tenant
    name: str = ""
    created_at: UtcDatetime
    expires_at: UtcDatetime | None = None
    revoked_at: UtcDatetime | None = None

    @classmethod
    def issue(
        cls, tenant: Tenant, now: datetime, *, name: str = "", expires_at: datetime | None = None
    ) -> tuple[Self, str]:
        """Return a new key to store, and its text, which can never be shown again."""
        prefix, secret = _random(_PREFIX_LENGTH), _random(_SECRET_LENGTH)
        key = cls(
            prefix=prefix,
            secret_sha256=sha256_of(secret),
            tenant=tenant,
            name=name,
            created_at=now,
            expires_at=expires_at,
        )
        return key, f"{prefix}.{secret}"

    def check(self, secret: str, now: datetime) -> None:
        """Pass if `secret` opens this key at `now`.

        Raises:
            UnauthorizedError: wrong secret, or the key is revoked or expired.
        """
        if not hmac.compare_digest(self.secret_sha256, sha256_of(secret)):
            raise UnauthorizedError("unknown API key")
        if self.revoked_at is not None and self.revoked_at <= now:
            raise UnauthorizedError(f"API key {self.prefix} was revoked")
        if self.expires_at is not None and self.expires_at <= now:
            raise UnauthorizedError(f"API key {self.prefix} expired")


def credentials(authorization: str | None) -> tuple[str, str]:
    """Return (prefix, secret) of an `Authorization` header.

    `Api-Key <key>` and `Bearer <key>` mean the same; the scheme's case does not matter.

    Raises:
        UnauthorizedError: the header is missing or has another form.
    """
    scheme, _, key = (authorization or "").strip().partition(" ")
    prefix, dot, secret = key.strip().partition(".")
    has_form = bool(prefix and dot and secret) and len(prefix) <= _LONGEST_PREFIX
    if scheme.lower() not in {"api-key", "bearer"} or not has_form:
        raise UnauthorizedError(
            "send 'Authorization: Bearer <key>' or 'Authorization: Api-Key <key>'"
        )
    return prefix, secret
