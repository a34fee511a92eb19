"""The queue message: a hint that a request waits, with its payload when that is small."""

from typing import Literal, Self

from pydantic import Base64Bytes, ValidationError

from penstock.contracts.contract import Contract
from penstock.contracts.errors import ProtocolError
from penstock.contracts.origin import ContainerCall, InputLocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.queue_text import travelling_json
from penstock.contracts.request import RequestId

INLINE_LIMIT_BYTES = 200 * 1024
"""The largest encoded message that carries its payload; SQS bills per 64 KiB."""


class MalformedMessageError(ProtocolError):
    """The message is not one of ours, or of a version this process does not know."""


class QueueMessage(Contract):
    """What travels through SQS. The row is the truth; this only says where to look."""

    version: Literal[1] = 1
    request_id: RequestId
    content_type: str = "application/json"
    text: str | None = None
    """The payload, when it is UTF-8 text and small."""

    binary: Base64Bytes | None = None
    """The payload, when it is small and not text."""

    stored: StoredObject | None = None
    """Where the payload lies, when it is not small."""

    location: InputLocation | None = None
    """Where the caller put the payload."""

    call: ContainerCall | None = None
    """How the model server is to be called, when its caller said so."""

    traceparent: str | None = None
    """The trace that the request was accepted in (W3C Trace Context), for whoever works on it."""

    is_wake_up: bool = False
    """Whether it belongs to no request: it only makes the queue longer, so a worker starts."""

    @classmethod
    def inline(
        cls,
        request_id: RequestId,
        payload: bytes,
        content_type: str,
        call: ContainerCall | None = None,
    ) -> Self | None:
        """Return a message that carries `payload`, or `None` if it would be too large."""
        if len(payload) > INLINE_LIMIT_BYTES:
            return None
        head = cls(request_id=request_id, content_type=content_type, call=call)
        try:
            body: dict[str, object] = {"text": payload.decode()}
        except UnicodeDecodeError:
            body = {"binary": payload}
        message = head.model_copy(update=body)
        return message if len(message.encoded().encode()) <= INLINE_LIMIT_BYTES else None

    @classmethod
    def pointing_to(
        cls, request_id: RequestId, stored: StoredObject, call: ContainerCall | None = None
    ) -> Self:
        """Return a message whose payload lies in S3."""
        return cls(
            request_id=request_id, content_type=stored.content_type, stored=stored, call=call
        )

    @classmethod
    def reading(
        cls, request_id: RequestId, location: InputLocation, call: ContainerCall | None = None
    ) -> Self:
        """Return a message whose payload lies where the caller put it."""
        return cls(request_id=request_id, location=location, call=call)

    @classmethod
    def wake_up(cls, request_id: RequestId) -> Self:
        """Return a message that only starts a worker; `request_id` names nothing."""
        return cls(request_id=request_id, is_wake_up=True)

    @property
    def inline_payload(self) -> bytes | None:
        """The payload, when it travels inside."""
        return self.text.encode() if self.text is not None else self.binary

    def encoded(self) -> str:
        """Return the body to send."""
        return travelling_json(self.model_dump_json(exclude_none=True))

    @classmethod
    def decoded(cls, body: str) -> Self:
        """Read a received body.

        Raises:
            MalformedMessageError: it cannot be read; the message must not be acted upon.
        """
        try:
            message = cls.model_validate_json(body)
        except ValidationError as error:
            raise MalformedMessageError(f"unreadable queue message: {error}") from error
        has_payload = message.inline_payload is not None or message.stored or message.location
        if not has_payload and not message.is_wake_up:
            raise MalformedMessageError(f"message of {message.request_id} has no payload")
        return message
