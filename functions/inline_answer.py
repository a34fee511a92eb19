"""Bytes that travel inside an answer of a function, or the way to where they lie."""

import base64
import json
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

_LONGEST_TEXT = 5_700_000
"""As JSON; Lambda answers at most 6 MB, and base64 of what travels inside is never longer."""


def inline_answer(status: int, content: bytes, content_type: str) -> Response[Any]:
    """Return an answer with just these bytes."""
    if (text := _text(content)) is not None:
        return Response(status, content_type, text)
    response = Response(status, content_type, base64.b64encode(content).decode())
    response.base64_encoded = True
    return response


def redirect(url: str) -> Response[Any]:
    """Return an answer that leads elsewhere."""
    # Not `None`: the emulated API Gateway fails without a body.
    return Response(HTTPStatus.SEE_OTHER, headers={"Location": url}, body="")


def _text(content: bytes) -> str | None:
    """Return what may travel as text: base64 is decoded only for callers who send `Accept`."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if len(json.dumps(text)) <= _LONGEST_TEXT else None
