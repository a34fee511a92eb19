"""Which items of a batch are to be sent next. No I/O."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.client.pacing import ATTEMPTS
from penstock.contracts.http.native import MOST_IN_BATCH, BatchAnswer, BatchEntry

_MOST_BYTES = 3 * 1024**2
"""API Gateway hands a function at most 6 MB, base64 included."""

_PAUSE_SECONDS = 1.0
_TRANSIENT = {"rate_limited", "model_unavailable"}


class Batch:
    """Items in their order, and what has become of each."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        # With a key of its own an item may be sent again without fear of a second request.
        self._items = [{"idempotency_key": uuid.uuid4().hex, **item} for item in items]
        self._entries: dict[int, BatchEntry] = {}

    @property
    def entries(self) -> list[BatchEntry]:
        """What became of each item, in their order."""
        return [self._entries[place] for place in range(len(self._items))]

    def items(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return the items at some places."""
        return [self._items[place] for place in places]

    def rounds(self) -> Iterator[tuple[float, Sequence[int]]]:
        """Yield a pause and the places of what to send after it; `record` is called for each.

        What was refused for the moment is sent again while some of it is accepted.
        """
        left, fruitless, pause = list(range(len(self._items))), 0, 0.0
        while left and fruitless < ATTEMPTS:
            for places in self._chunks(left):
                yield pause, places
                pause = 0.0
            still = [place for place in left if self._entries[place].error_code in _TRANSIENT]
            fruitless = fruitless + 1 if len(still) == len(left) else 0
            left, pause = still, _PAUSE_SECONDS

    def record(self, places: Sequence[int], answer: BatchAnswer) -> None:
        """Keep what became of the items at these places."""
        for entry in answer.requests:
            place = places[entry.index]
            self._entries[place] = entry.model_copy(update={"index": place})

    def _chunks(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        chunk: list[int] = []
        size = 0
        for place in places:
            length = len(json.dumps(self._items[place]).encode())
            if chunk and (len(chunk) == MOST_IN_BATCH or size + length > _MOST_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(place)
            size += length
        if chunk:
            yield chunk
