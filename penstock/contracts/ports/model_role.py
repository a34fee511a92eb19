"""The AWS role of a model's own, and the credentials that it gives."""

from collections.abc import Callable

from pydantic import Field

from penstock.contracts.contract import Contract, UtcDatetime


class RoleCredentials(Contract):
    """What a role may be used with until it expires."""

    access_key_id: str
    secret_access_key: str = Field(repr=False)
    session_token: str = Field(repr=False)
    expires_at: UtcDatetime


ModelRole = Callable[[], RoleCredentials]
"""Assumes the role. Raises `RoleRefusedError` and `UnavailableError`."""
