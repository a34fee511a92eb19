"""Which items of a batch are to be sent next. No I/O."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.client.errors import ClientError, PenstockApiError, TooLargeError
from penstock.client.pacing import ATTEMPTS
from penstock.contracts.http.native import MOST_IN_BATCH, BatchAnswer, BatchEntry

MOST_BYTES = 3 * 1024**2
"""API Gateway hands a function at most 6 MB, base64 included."""

_PAUSE_SECONDS = 1.0
_PASSING = {"rate_limited", "model_unavailable"}


def may_be_sent_again(entry: BatchEntry) -> bool:
    """Whether an item was refused for the moment only."""
    return entry.error_code in _PASSING


class Batch:
    """Items in their order, and what has become of each."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        # With a key of its own an item may be sent again without fear of a second request.
        self._items = [
            {**item, "idempotency_key": item.get("idempotency_key") or uuid.uuid4().hex}
            for item in items
        ]
        self._entries: dict[int, BatchEntry] = {}
        self._is_given_up = False

    @property
    def entries(self) -> list[BatchEntry]:
        """What became of each item, in their order."""
        return [self._entries[place] for place in range(len(self._items))]

    def items(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return the items at some places."""
        return [self._items[place] for place in places]

    def rounds(self) -> Iterator[tuple[float, Sequence[int]]]:
        """Yield a pause and the places of what to send after it.

        For each either `record` or `fail` is called. What was refused for the moment is sent again
        while some of it is accepted.
        """
        left, fruitless, pause = list(range(len(self._items))), 0, 0.0
        while left and fruitless < ATTEMPTS:
            for places in self._chunks(left):
                yield pause, places
                if self._is_given_up:
                    return
                pause = 0.0
            still = [place for place in left if may_be_sent_again(self._entries[place])]
            fruitless = fruitless + 1 if len(still) == len(left) else 0
            left, pause = still, _PAUSE_SECONDS

    def record(self, places: Sequence[int], answer: BatchAnswer) -> None:
        """Keep what became of the items at these places."""
        for entry in answer.requests:
            place = places[entry.index]
            self._entries[place] = entry.model_copy(update={"index": place})

    def fail(self, places: Sequence[int], error: ClientError) -> None:
        """Keep that the call with the items at these places failed.

        Raises:
            ClientError: this error, if nothing was accepted before. Otherwise what was accepted
                must be told: whatever was not is refused with the error, and no more is sent.
        """
        if isinstance(error, TooLargeError) and len(places) == 1:
            refused: Iterable[int] = places
        elif any(entry.request_id for entry in self._entries.values()):
            self._is_given_up = True
            refused = filter(self._is_unsettled, range(len(self._items)))
        else:
            raise error
        code = error.error_code if isinstance(error, PenstockApiError) else None
        for place in refused:
            self._entries[place] = BatchEntry(index=place, error=str(error), error_code=code)

    def _is_unsettled(self, place: int) -> bool:
        return place not in self._entries or may_be_sent_again(self._entries[place])

    def _chunks(self, places: Sequence[int]) -> Iterator[Sequence[int]]:
        chunk: list[int] = []
        size = 0
        for place in places:
            length = len(json.dumps(self._items[place]).encode())
            if chunk and (len(chunk) == MOST_IN_BATCH or size + length > MOST_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(place)
            size += length
        if chunk:
            yield chunk
