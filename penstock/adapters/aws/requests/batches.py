"""What may be sent to SQS in one call."""

from collections.abc import Iterable, Iterator

from penstock.contracts.message import QueueMessage
from penstock.contracts.request import RequestId

BATCH_SIZE = 10  # SQS: entries of one batch, messages of one receive
_BATCH_BYTES = 1024 * 1024  # SQS: all bodies of one batch


def message_batches(messages: Iterable[QueueMessage]) -> Iterator[list[tuple[RequestId, str]]]:
    """Yield ids and bodies in batches that SQS takes."""
    batch: list[tuple[RequestId, str]] = []
    batch_bytes = 0
    for message in messages:
        body = message.encoded()
        body_bytes = len(body.encode())
        if len(batch) == BATCH_SIZE or (batch and batch_bytes + body_bytes > _BATCH_BYTES):
            yield batch
            batch, batch_bytes = [], 0
        batch.append((message.request_id, body))
        batch_bytes += body_bytes
    if batch:
        yield batch
