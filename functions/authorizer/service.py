"""Deciding whether a key opens the API."""

from dataclasses import dataclass
from datetime import UTC, datetime

from penstock.contracts.directory.api_key import ApiKey, credentials
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.directory import ApiKeyStore
from penstock.contracts.request import Tenant

_OPENED_BY_NOTHING = ApiKey(
    prefix="",
    secret_sha256="0" * 64,
    tenant=Tenant(""),
    created_at=datetime.min.replace(tzinfo=UTC),
)
"""Stands in for a key that does not exist, so that its check takes as long as any other."""


@dataclass(frozen=True, kw_only=True)
class AuthorizerService:
    """Checks keys against the store."""

    keys: ApiKeyStore
    clock: Clock

    def authenticate(self, authorization: str | None) -> ApiKey:
        """Return the key that an `Authorization` header carries.

        Raises:
            UnauthorizedError: it opens nothing; the text never contains the secret.
        """
        prefix, secret = credentials(authorization)
        key = self.keys.find(prefix) or _OPENED_BY_NOTHING
        key.check(secret, self.clock())
        return key
