"""Reading a batch, from the call or from JSON lines, and answering it."""

import json
from collections.abc import Iterable, Sequence

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.native import MOST_LINES, BatchAnswer, BatchEntry, BatchSubmission
from penstock.contracts.origin import InputLocation
from penstock.contracts.request import AsyncRequest
from penstock.dialects.baseten.errors import error_body
from penstock.dialects.baseten.submission import read_body, read_location
from penstock.dialects.http_call import HttpCall

Items = Sequence[tuple[int, bytes]]
"""Items as JSON, each with its place in the batch."""


def read_batch(call: HttpCall) -> Items | InputLocation:
    """Return the items of a batch, or where their lines lie.

    Raises:
        InvalidSubmissionError: there are none or too many, or the body is otherwise wrong.
    """
    batch = read_body(BatchSubmission, call.body)
    if batch.input_location is not None:
        place = read_location("input_location", batch.input_location)
        return InputLocation(bucket=place.bucket, key=place.key)
    return [
        (index, json.dumps(item, ensure_ascii=False).encode())
        for index, item in enumerate(batch.requests or ())
    ]


def read_lines(lines: Iterable[bytes]) -> Items:
    """Return the items of JSON lines; empty lines are passed over.

    Raises:
        InvalidSubmissionError: there are none or too many.
    """
    items: list[tuple[int, bytes]] = []
    for index, line in enumerate(lines):
        if text := line.strip():
            items.append((index, text))
        if len(items) > MOST_LINES:
            raise InvalidSubmissionError("input_location", f"more than {MOST_LINES:,} lines")
    if not items:
        raise InvalidSubmissionError("input_location", "the file has no lines")
    return items


def batch_answer(items: Items, ends: Sequence[AsyncRequest | Exception]) -> BatchAnswer:
    """Return what became of each item."""
    entries = [_entry(index, end) for (index, _), end in zip(items, ends, strict=True)]
    accepted = sum(entry.request_id is not None for entry in entries)
    return BatchAnswer(accepted=accepted, refused=len(entries) - accepted, requests=tuple(entries))


def _entry(index: int, end: AsyncRequest | Exception) -> BatchEntry:
    if isinstance(end, AsyncRequest):
        return BatchEntry(index=index, request_id=end.request_id)
    body = error_body(end)
    return BatchEntry(index=index, error=body.error, error_code=body.error_code)
