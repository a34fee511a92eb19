"""The secrets that webhooks are signed with, as they lie in Secrets Manager."""

import secrets
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from penstock.contracts.contract import Contract, UtcDatetime

_PREFIX = "whsec_"
_ALPHABET = string.ascii_letters + string.digits
_RANDOM_CHARACTERS = 43  # 256 bits


class SigningSecret(Contract):
    """One secret."""

    secret: str = Field(repr=False)
    expires_at: UtcDatetime | None = None
    """From then on nothing is signed with it."""

    def is_active(self, now: datetime) -> bool:
        """Whether webhooks are signed with it at `now`."""
        return self.expires_at is None or self.expires_at > now

    def ending_by(self, moment: datetime) -> Self:
        """Return this secret, expiring at `moment` unless it does so before."""
        expires_at = min(self.expires_at, moment) if self.expires_at else moment
        return self.model_copy(update={"expires_at": expires_at})


def _with_keys(value: object) -> object:
    return {"secret": value} if isinstance(value, str) else value


class SigningSecretSet(Contract):
    """All secrets, the newest first; a plain text is a secret that does not expire."""

    secrets: tuple[Annotated[SigningSecret, BeforeValidator(_with_keys)], ...]

    def active(self, now: datetime) -> Sequence[str]:
        """Return what webhooks are signed with at `now`, the newest first."""
        return [each.secret for each in self.secrets if each.is_active(now)]

    def rotated(self, new: str, now: datetime, keep_old: timedelta) -> Self:
        """Return a set in which `new` comes first and only the newest other lives on, for a while.

        At most two are active: receivers need to know no more than the old and the new one.
        """
        kept = [each for each in self.secrets if each.is_active(now)][:1] if keep_old else []
        old = [each.ending_by(now + keep_old) for each in kept]
        return self.model_copy(update={"secrets": (SigningSecret(secret=new), *old)})


def new_signing_secret() -> str:
    """Return a fresh random secret."""
    return _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
