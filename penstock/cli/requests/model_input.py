"""The input of a submission, from a file, from stdin and from `--set`."""

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.json_text import NotJsonError, parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.client import Client


@dataclass(frozen=True)
class ModelInput:
    """JSON that travels with the submission, or bytes that are uploaded before it."""

    value: object = None
    upload: Path | bytes | None = None
    content_type: str = "application/json"

    def place(self, client: "Client") -> str | None:
        """Upload what is to be uploaded; return where it lies."""
        if self.upload is None:
            return None
        size = len(self.upload) if isinstance(self.upload, bytes) else self.upload.stat().st_size
        typer.echo(f"uploading {size} bytes", err=True)
        return client.upload(self.upload, self.content_type)


def read_model_input(
    file: str | None, settings: "Sequence[str]", content_type: str | None = None
) -> ModelInput:
    """Return the JSON in `file` (`-` is stdin), with each `key=value` of `settings` put into it.

    `key=text` sets a string, `key=@file` the base64 of a file. JSON too large for a queue is to be
    uploaded. With a content type the file is uploaded as it is, and not read before.

    Raises:
        InvalidSubmissionError: there is none, or it cannot be read.
    """
    if file is None and not settings:
        raise InvalidSubmissionError("input", "give --input FILE, --input - or --set KEY=VALUE")
    if content_type is None:
        return _json_input(file, settings)
    if file is None or settings:
        raise InvalidSubmissionError("content-type", "goes with --input FILE alone")
    return ModelInput(upload=_as_it_is(file), content_type=content_type)


def _json_input(file: str | None, settings: "Sequence[str]") -> ModelInput:
    from pydantic_core import from_json

    from penstock.contracts.message import INLINE_LIMIT_BYTES

    value = {} if file is None else _parsed(file)
    if settings and not isinstance(value, dict):
        raise InvalidSubmissionError("set", f"{file} is no JSON object to set a key in")
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not (key and equals):
            raise InvalidSubmissionError("set", f"{setting!r} is not KEY=VALUE or KEY=@FILE")
        value[key] = _base64(text[1:]) if text.startswith("@") else text
    try:
        encoded = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        if len(encoded) > INLINE_LIMIT_BYTES:
            return ModelInput(upload=encoded)
        from_json(encoded)  # as the API reads it, which takes some 200 levels
    except (ValueError, RecursionError) as error:
        raise InvalidSubmissionError("input", f"this is not JSON: {error}") from error
    return ModelInput(value)


def _as_it_is(file: str) -> Path | bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    if not Path(file).is_file():
        raise InvalidSubmissionError("input", f"cannot read {file}: no such file")
    return Path(file)


def _parsed(file: str) -> Any:  # noqa: ANN401 - any JSON
    text = sys.stdin.buffer.read() if file == "-" else _bytes("input", file)
    try:
        return parse_json(text)
    except NotJsonError as error:
        name = "stdin" if file == "-" else file
        hint = "--content-type TYPE sends any file as it is"
        raise InvalidSubmissionError("input", f"{name} is not JSON ({error}); {hint}") from error


def _base64(file: str) -> str:
    return base64.b64encode(_bytes("set", file)).decode()


def _bytes(option: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidSubmissionError(option, f"cannot read {file}: {error.strerror}") from error
