"""How a batch travels: a JSON list of inputs, answered by a list of as many outputs.

An output is the answer to its input, or `{"error": …, "status": …}`: what the model server would
have answered to that input alone. The status may be left out; it is 500 then.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from penstock.adapters.contents import in_memory
from penstock.contracts.errors import PenstockError
from penstock.contracts.json_text import is_json_text
from penstock.contracts.message import INLINE_LIMIT_BYTES
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.faults import fault_of
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelFaultError,
    ModelRefusedError,
)

JSON = "application/json"
_JSON_TYPES = {JSON, f"{JSON};charset=utf-8"}
_ANSWER_BYTES = 16 * 1024**2
"""The longest answer to a batch: it is taken apart in memory."""

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_ERRORS = range(HTTPStatus.BAD_REQUEST, 600)
_NO_STATUS = HTTPStatus.INTERNAL_SERVER_ERROR

Output = Answer | ModelFaultError | ModelRefusedError
"""What came of one input of a batch."""


class NotABatchError(PenstockError):
    """What the model server answered is not the answer to a batch; the text says why."""


def may_join(payload: Loaded) -> bool:
    """Whether a payload can be an element of a JSON list.

    It is read, not believed: half a document would change what belongs to its neighbours.
    """
    if not isinstance(payload.content, bytes) or payload.size_bytes > INLINE_LIMIT_BYTES:
        return False
    if payload.content_type.lower().replace(" ", "") not in _JSON_TYPES:
        return False
    try:
        return is_json_text(payload.content.decode())
    except UnicodeDecodeError:
        return False


def batch_of(payloads: Sequence[Loaded]) -> Loaded:
    """Return the payload of a batch."""
    content = b"[%s]" % b",".join(in_memory(payload.content) for payload in payloads)
    return Loaded(content, JSON, len(content))


async def outputs_of(answer: Answer, count: int) -> list[Output]:
    """Return what came of each of `count` inputs, in their order.

    Raises:
        NotABatchError: the answer is not a JSON list of so many.
    """
    if answer.size_bytes > _ANSWER_BYTES:
        raise NotABatchError(f"the answer is longer than {_ANSWER_BYTES} bytes")
    if isinstance(answer.body, bytes):
        return _split(answer, answer.body, count)
    body = await asyncio.to_thread(answer.body.read)
    return await asyncio.to_thread(_split, answer, body, count)


def _split(answer: Answer, body: bytes, count: int) -> list[Output]:
    try:
        outputs = [_output(answer, *element) for element in _elements(body.decode())]
    except (ValueError, RecursionError) as error:
        raise NotABatchError(f"the answer is not a JSON list: {error}") from error
    if len(outputs) != count:
        raise NotABatchError(f"the answer is a list of {len(outputs)}, not of {count}")
    return outputs


def _output(answer: Answer, value: object, text: str) -> Output:
    body = text.encode()
    if isinstance(value, dict) and "error" in value and value.keys() <= {"error", "status"}:
        said = value.get("status")
        status = said if isinstance(said, int) and said in _ERRORS else _NO_STATUS
        return fault_of(status, body, JSON)
    return Answer(body, JSON, answer.http_status)


def _elements(text: str) -> Iterator[tuple[object, str]]:
    """Yield each element of a JSON list, read and as it is written: it is handed on unchanged."""
    at = _expected(text, 0, "[")
    is_first = True
    while not (is_first and text.startswith("]", at)):
        value, end = _DECODER.raw_decode(text, at)
        yield value, text[at:end]
        is_first = False
        at = _after_space(text, end)
        if text.startswith("]", at):
            break
        at = _expected(text, at, ",")
    if _expected(text, at, "]") != len(text):
        raise ValueError("more follows the list")


def _expected(text: str, at: int, sign: str) -> int:
    """Return where the text goes on behind `sign`."""
    at = _after_space(text, at)
    if not text.startswith(sign, at):
        raise ValueError(f"no {sign} at {at}")
    return _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
