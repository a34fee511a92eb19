"""Parsing JSON that others wrote; whatever is wrong with it is one kind of error."""

import json
import math
import re
from typing import Any

from penstock.contracts.errors import PenstockError

_BOM = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class NotJsonError(PenstockError, ValueError):
    """It cannot be parsed as JSON: malformed, not UTF-8, nested too deeply, too many digits."""


def parse_json(content: bytes | str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value as Python reads it: NaN, infinite numbers and lone surrogates are kept.

    Raises:
        NotJsonError: there is none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(_reason(error)) from error


def parse_exact_json(content: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return a value that every reader of JSON takes, and that can be written down again.

    Raises:
        NotJsonError: there is none: also NaN, numbers beyond a double, lone surrogates.
    """
    try:
        text = without_bom(content).decode()
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if _SURROGATE_ESCAPE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise NotJsonError(_reason(error)) from error
    return value


def is_json_text(content: bytes | str) -> bool:
    """Whether it can be handed on as JSON: text in UTF-8, without a byte order mark."""
    try:
        parse_json(content.decode() if isinstance(content, bytes) else content)
    except (NotJsonError, UnicodeDecodeError):
        return False
    return True


def without_bom(content: bytes) -> bytes:
    """Return UTF-8 text without the byte order mark that some editors put before it."""
    return content.removeprefix(_BOM)


def _reason(error: ValueError | RecursionError) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number in JSON")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("a number is too large for a double")
    return number
