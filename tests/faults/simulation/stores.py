"""A requests table whose indexes follow late, as those of DynamoDB may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from penstock.adapters.in_memory import InMemoryRequestStore
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.requests import UnreadableRow
from penstock.contracts.request import AsyncRequest, RequestId


@dataclass
class Lag:
    """How far behind an answer may be; shared by all who ask."""

    seconds: float = 0


class MisbehavingStore(InMemoryRequestStore):
    """The table, and what its index says of the past."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.index_lag = Lag()
        self.unreadable: set[RequestId] = set()
        """Whose rows another version wrote; they are always due."""

        self._entries: dict[RequestId, list[tuple[datetime, datetime | None]]] = {}
        """When each row was to be looked at, oldest entry first, with when that was written."""

        self._server_clock = clock

    def due(  # type: ignore[override]  # its base keeps no row that it cannot read
        self, limit: int
    ) -> Sequence[AsyncRequest | UnreadableRow]:
        """Return rows that were due as the index shows it; the rows themselves are fresh."""
        shown_at = self._server_clock() - timedelta(seconds=self.index_lag.seconds)
        fresh = self._due
        self._due = {}
        for request_id, entries in self._entries.items():
            shown = [due for written_at, due in entries if written_at <= shown_at]
            if shown and shown[-1] is not None and request_id in self._rows:
                self._due[request_id] = shown[-1]
        try:
            unreadable = [UnreadableRow(request_id) for request_id in self.unreadable]
            return [*unreadable, *super().due(limit)]
        finally:
            self._due = fresh

    def postpone(self, request_id: RequestId, seconds: float) -> None:
        super().postpone(request_id, seconds)
        self._index(request_id)

    def _moved(self, request: AsyncRequest) -> AsyncRequest:
        moved = super()._moved(request)
        self._index(request.request_id)
        return moved

    def _index(self, request_id: RequestId) -> None:
        entry = self._server_clock(), self._due.get(request_id)
        self._entries.setdefault(request_id, []).append(entry)
