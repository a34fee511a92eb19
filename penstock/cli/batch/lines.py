"""The lines of a batch: all checked before the first is sent, none held in memory."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from pydantic import ValidationError

from penstock.client.calls.batches import MOST_BYTES
from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.native import MOST_IN_BATCH, BatchEntry, BatchItem
from penstock.contracts.json_text import parse_json, without_bom

_MOST_TOLD = 20
_DEFAULTS = {"max_time_in_queue_seconds": 259_200}
"""The longest: a batch may be more than is worked through in the ten minutes of one request."""

_SHAPE = 'each line is a submission: {"model_input": …}'


@dataclass(frozen=True)
class Line:
    """One request of a batch."""

    index: int
    """Its place in the file, from 0; empty lines count."""

    item: Mapping[str, Any]


@dataclass(frozen=True)
class Lines:
    """Checked lines, written down where they can be gone through at leisure."""

    written: IO[bytes]
    count: int

    def groups(self) -> Iterator[Sequence[Line]]:
        """Yield as many at a time as one call takes."""
        self.written.seek(0)
        group: list[Line] = []
        size = 0
        for line in self.written:
            if group and (len(group) == MOST_IN_BATCH or size + len(line) > MOST_BYTES):
                yield group
                group, size = [], 0
            group.append(Line(*parse_json(line)))
            size += len(line)
        yield group


@dataclass(frozen=True)
class FileInS3:
    """Lines that the API reads itself."""

    location: str


@dataclass(frozen=True)
class Keys:
    """Idempotency keys that follow from what is sent where: a repeated run finds its requests.

    Lines that are equal differ in how many of them came before.
    """

    prefix: str
    target: Sequence[str | None]
    _seen: Counter[str] = field(default_factory=Counter, init=False)

    def of(self, item: Mapping[str, Any]) -> str:
        """Return the key of the next item."""
        text = json.dumps([self.target, item], sort_keys=True)
        digest = sha256(text.encode()).hexdigest()[:32]
        self._seen[digest] += 1
        return f"{self.prefix}-{digest}-{self._seen[digest]}"


def source_of(
    file: str, said: Mapping[str, Any], keys: Keys, *, is_continued: bool
) -> AbstractContextManager[Lines | FileInS3]:
    """Give what a batch is made of; see `checked_lines`.

    Raises:
        InvalidSubmissionError: something is said of lines that nobody can add to.
    """
    options = {name: value for name, value in said.items() if value is not None}
    if not file.startswith("s3://"):
        return checked_lines(file, _DEFAULTS | options, keys)
    if options or is_continued:
        reason = "lines in S3 must say for themselves what options or keys they have"
        raise InvalidSubmissionError("", reason)
    return nullcontext(FileInS3(file))


@contextmanager
def checked_lines(file: str, defaults: Mapping[str, Any], keys: Keys) -> Iterator[Lines]:
    """Give the lines of `file` (`-` is stdin), with what they do not say themselves.

    Raises:
        InvalidSubmissionError: some lines are wrong, or there are none.
    """
    wrong: list[str] = []
    count = 0
    with TemporaryFile() as written:
        for index, line in _numbered(file):
            try:
                item = {**defaults, **_item(line)}
                item["idempotency_key"] = item.get("idempotency_key") or keys.of(item)
                written.write(_encoded([index, item]) + b"\n")
            except ValueError as error:
                wrong.append(f"line {index + 1}: {_reason(error)}")
            count += 1
        if wrong or not count:
            raise InvalidSubmissionError("", _told(file, wrong))
        yield Lines(written, count)


def read_entries(file: str) -> Sequence[BatchEntry]:
    """Return what `penstock batch submit` printed.

    Raises:
        InvalidSubmissionError: some lines are something else.
    """
    entries: list[BatchEntry] = []
    for index, line in _numbered(file):
        try:
            entries.append(BatchEntry.model_validate_json(line))
        except ValidationError as error:
            said = f"line {index + 1} of {file} is none that 'penstock batch submit' printed"
            raise InvalidSubmissionError("", said) from error
    return entries


def _numbered(file: str) -> Iterator[tuple[int, bytes]]:
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as lines:
            for index, line in enumerate(lines):
                text = line if index else without_bom(line)
                if text.strip():
                    yield index, text
    except OSError as error:
        raise InvalidSubmissionError("", f"cannot read {file}: {error.strerror}") from error


def _item(line: bytes) -> dict[str, Any]:
    # As the API will read it; its defaults are not ours to write into the line.
    BatchItem.model_validate_json(line)
    item: dict[str, Any] = parse_json(line)
    return item


def _encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
        for fault in faults
    )


def _told(file: str, wrong: Sequence[str]) -> str:
    if not wrong:
        return f"{file} has no lines; {_SHAPE}"
    more = [f"and {len(wrong) - _MOST_TOLD} more"] if len(wrong) > _MOST_TOLD else []
    heading = f"nothing was submitted, {len(wrong)} lines of {file} are wrong ({_SHAPE}):"
    return "\n  ".join([heading, *wrong[:_MOST_TOLD], *more])
