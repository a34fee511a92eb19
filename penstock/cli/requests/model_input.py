"""The input of a submission, from a file, from stdin and from `--set`."""

import base64
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.contracts.errors import InvalidSubmissionError


def read_model_input(file: str | None, settings: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON in `file` (`-` is stdin), with each `key=value` of `settings` put into it.

    `key=text` sets a string, `key=@file` the base64 of a file.

    Raises:
        InvalidSubmissionError: there is none, or it cannot be read.
    """
    if file is None and not settings:
        raise InvalidSubmissionError("input", "give --input FILE, --input - or --set KEY=VALUE")
    model_input = {} if file is None else _parsed(file)
    if settings and not isinstance(model_input, dict):
        raise InvalidSubmissionError("set", f"{file} is no JSON object to set a key in")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise InvalidSubmissionError("set", f"{setting!r} is not KEY=VALUE or KEY=@FILE")
        model_input[key] = _base64(value[1:]) if value.startswith("@") else value
    return model_input


def _parsed(file: str) -> Any:  # noqa: ANN401 - any JSON
    text = sys.stdin.buffer.read() if file == "-" else _bytes("input", file)
    try:
        return json.loads(text)
    except ValueError as error:
        name = "stdin" if file == "-" else file
        raise InvalidSubmissionError("input", f"{name} is not JSON: {error}") from error


def _base64(file: str) -> str:
    return base64.b64encode(_bytes("set", file)).decode()


def _bytes(option: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidSubmissionError(option, f"cannot read {file}: {error.strerror}") from error
