"""Bytes that travel inside an answer of a function, or the way to where they lie."""

import base64
import json
from http import HTTPStatus

from functions.http_answer import HttpAnswer

_LONGEST_TEXT = 5_700_000
"""As JSON; Lambda answers at most 6 MB, and base64 of what travels inside is never longer."""


def inline_answer(status: int, content: bytes, content_type: str) -> HttpAnswer:
    """Return an answer with just these bytes."""
    headers = {"Content-Type": content_type}
    if (text := _text(content)) is not None:
        return HttpAnswer(status, text, headers)
    return HttpAnswer(status, base64.b64encode(content).decode(), headers, is_base64=True)


def redirect(url: str) -> HttpAnswer:
    """Return an answer that leads elsewhere."""
    return HttpAnswer(HTTPStatus.SEE_OTHER, headers={"Location": url})


def _text(content: bytes) -> str | None:
    """Return what may travel as text: base64 is decoded only for callers who send `Accept`."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if len(json.dumps(text)) <= _LONGEST_TEXT else None
