"""What every log line of a request says: which request, and in which trace."""

import logging
from contextvars import ContextVar

from penstock.contracts.message import QueueMessage
from penstock.contracts.observability.trace_context import TraceContext

_message: ContextVar[QueueMessage | None] = ContextVar("message", default=None)


def correlate(message: QueueMessage) -> None:
    """Let what this task logs from now on, in threads too, say that it concerns `message`."""
    _message.set(message)


def handed_on() -> str | None:
    """Return the `traceparent` that came with the message of this task."""
    message = _message.get()
    return message.traceparent if message else None


class CorrelationFilter(logging.Filter):
    """Adds the keys to records that do not have them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record."""
        if (message := _message.get()) is not None:
            record.__dict__.setdefault("request_id", message.request_id)
            if context := TraceContext.of_traceparent(message.traceparent):
                # The functions' logs have the same key.
                record.__dict__.setdefault("xray_trace_id", context.xray_trace_id)
        return True
