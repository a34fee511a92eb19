"""What receivers implement, in the words of OpenAPI."""

from typing import Any

from penstock.contracts.http.signature import (
    EVENT_ID_HEADER,
    REQUEST_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TIMESTAMPED_SIGNATURE_HEADER,
)
from penstock.dialects.baseten.document.examples import MODEL, REQUEST_ID

WEBHOOK_EXAMPLE = {
    "request_id": REQUEST_ID,
    **MODEL,
    "type": "async_request_completed",
    "time": "2026-01-02T03:04:05.678901Z",
    "data": {"ok": True},
    "errors": [],
}

_HEADERS = {
    REQUEST_ID_HEADER: "The request id again.",
    EVENT_ID_HEADER: "The same however often this webhook is sent.",
    SIGNATURE_HEADER: (
        "`v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of the body under each active secret, the newest first."
    ),
    TIMESTAMP_HEADER: "When this attempt was made, in unix seconds.",
    TIMESTAMPED_SIGNATURE_HEADER: (
        "`t=<unix seconds>,v1=<hex>[,v1=<hex>]`: the same over `<unix seconds>.<body>`."
    ),
}


def webhook_operation(content: dict[str, Any]) -> dict[str, Any]:
    """Return the operation whose body is `content`."""
    return {
        "summary": "A request ended",
        "description": (
            "Sent to `webhook_endpoint` until it answers 2xx within 10 s, or 410, for some hours. "
            "May arrive more than once."
        ),
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Not wanted any more: it is not sent again."},
            "default": {"description": "Not taken: it is sent again later."},
        },
    }
