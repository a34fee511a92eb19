"""The catalog and the API keys as dictionaries."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from threading import RLock

from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.directory.catalog import Model


class InMemoryCatalog:
    """`Catalog` of the given models."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.model_id: model for model in models}

    def find_model(self, model_id: str) -> Model | None:
        """Return a model, or `None`."""
        return self._models.get(model_id)

    def all_models(self) -> Sequence[Model]:
        """Return every model, by id, and no chain."""
        models = (model for model in self._models.values() if model.chain_id is None)
        return sorted(models, key=attrgetter("model_id"))


class InMemoryApiKeyStore:
    """`ApiKeyStore` that any number of threads may share."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._lock = RLock()

    def put(self, key: ApiKey) -> None:
        """Store a new key."""
        with self._lock:
            self._keys[key.prefix] = key

    def find(self, prefix: str) -> ApiKey | None:
        """Return the key with this prefix, or `None`."""
        with self._lock:
            return self._keys.get(prefix)

    def all(self) -> Sequence[ApiKey]:
        """Return every key, oldest first."""
        with self._lock:
            return sorted(self._keys.values(), key=attrgetter("created_at"))

    def revoke(self, prefix: str, at: datetime) -> bool:
        """Revoke a key from `at` on; return whether there is such a key."""
        with self._lock:
            if prefix not in self._keys:
                return False
            self._keys[prefix] = self._keys[prefix].model_copy(update={"revoked_at": at})
            return True
