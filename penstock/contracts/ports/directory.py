"""Looking up models and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.directory.catalog import Model


class Catalog(Protocol):
    """The models of this stack. Raises `UnavailableError`."""

    def find_model(self, model_id: str) -> Model | None:
        """Return a model, or `None`; answers may be up to a minute old."""
        ...

    def all_models(self) -> Sequence[Model]:
        """Return every model, by id; chains are left out, for they are other names of these."""
        ...


class ApiKeyStore(Protocol):
    """The API keys of this stack. All methods raise `UnavailableError`."""

    def put(self, key: ApiKey) -> None:
        """Store a new key."""
        ...

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this prefix, or `None`."""
        ...

    def all(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        ...

    def revoke(self, prefix: str, at: datetime) -> bool:
        """Revoke a key from `at` on; return whether there is such a key."""
        ...
