"""The payload of a received message, wherever it lies; never much of it in memory."""

from dataclasses import dataclass
from tempfile import TemporaryFile

from penstock.contracts.errors import InputUnreadableError, ObjectGoneError
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import InputLocation
from penstock.contracts.ports.objects import Content, PayloadStore

_IN_MEMORY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Loaded:
    """A payload; whoever loaded it closes it."""

    content: Content
    """A file stands at its start."""

    content_type: str
    size_bytes: int

    def close(self) -> None:
        """Let go of the file, if it is one; it has no name, so that is its end."""
        if not isinstance(self.content, bytes):
            self.content.close()


def load(payloads: PayloadStore, message: QueueMessage, max_bytes: int) -> Loaded:
    """Return the payload of a message.

    Raises:
        InputUnreadableError: it lies in S3 and cannot be read, or is larger than `max_bytes`.
    """
    if message.location is not None:
        return _fetched(payloads, message.location, max_bytes)
    stored = message.stored
    if stored is None:
        payload = message.inline_payload or b""
        return Loaded(payload, message.content_type, len(payload))
    if stored.size_bytes > _IN_MEMORY_BYTES:
        location = InputLocation(
            bucket=stored.bucket, key=stored.key, content_type=stored.content_type
        )
        return _fetched(payloads, location, stored.size_bytes)
    try:
        return Loaded(payloads.read(stored), stored.content_type, stored.size_bytes)
    except ObjectGoneError as error:
        raise InputUnreadableError(f"The input cannot be read: {error}.") from error


def _fetched(payloads: PayloadStore, location: InputLocation, max_bytes: int) -> Loaded:
    file = TemporaryFile()  # noqa: SIM115 - whoever loads it closes it
    try:
        content_type = payloads.fetch(location, file, max_bytes)
    except BaseException:
        file.close()
        raise
    size_bytes = file.tell()
    file.seek(0)
    return Loaded(file, content_type, size_bytes)
