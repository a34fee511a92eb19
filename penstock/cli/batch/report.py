"""Where the lines of a batch go, and what is said of them on stderr."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

import typer

from penstock.cli.output import writable
from penstock.contracts.json_text import without_bom

_MOST_TOLD = 20


class Verbatim(str):
    """JSON text that stands in a line as it is, without being parsed and written anew."""

    __slots__ = ()

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Return JSON as one line; a line break in it can only stand between its parts."""
        return cls(without_bom(content).decode().strip().translate({0x0A: " ", 0x0D: " "}))


@dataclass
class Report:
    """Writes lines of JSON as data, and tells people which of them failed."""

    file: TextIO | None
    """`None`: stdout."""

    counts: Counter[str] = field(default_factory=Counter, init=False)
    """How many lines were written, by what became of them."""

    failures: int = field(default=0, init=False)
    """How many of them had an error."""

    @property
    def leaves_room(self) -> bool:
        """Whether a terminal shows something else than the lines themselves."""
        return self.file is not None or not sys.stdout.isatty()

    def write_all(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write lines as they come; then tell which have an error, and how many are what.

        If there are no more because the API failed, those that came are told of before that.
        """
        told: list[str] = []
        try:
            for line in lines:
                # Flushed, so that it is there whatever happens to this process.
                typer.echo(writable(_encoded(line), self.file or sys.stdout), file=self.file)
                self.counts[_state(line)] += 1
                if "error" in line:
                    self.failures += 1
                    if len(told) < _MOST_TOLD:
                        told.append(_failure(line))
        finally:
            if self.counts:
                self._tell(told)

    def _tell(self, told: Sequence[str]) -> None:
        more = self.failures - len(told)
        unnamed = [f"… and {more} more lines have an error"] if more else []
        said = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items()))
        total = f"{self.counts.total()} lines: {said}"
        typer.echo("\n".join([*told, *unnamed, total]), err=True)


def _encoded(line: Mapping[str, Any]) -> str:
    members = (
        f"{json.dumps(name)}: "
        + (value if isinstance(value, Verbatim) else json.dumps(value, ensure_ascii=False))
        for name, value in line.items()
    )
    return f"{{{', '.join(members)}}}"


def _failure(line: Mapping[str, Any]) -> str:
    request_id = f" ({line['request_id']})" if "request_id" in line else ""
    return f"line {line['index'] + 1}{request_id} {_state(line)}: {line['error']}"


def _state(line: Mapping[str, Any]) -> str:
    if "request_id" not in line:
        return "refused"
    state: str = line.get("status", "unknown" if "error" in line else "accepted")
    return state


@contextmanager
def report(output: Path | None) -> Iterator[Report]:
    """Give a report whose lines go to a file, or to stdout.

    Raises:
        typer.BadParameter: the file cannot be written.
    """
    if output is None:
        yield Report(None)
        return
    try:
        file = output.open("w", encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"cannot write {output}: {error.strerror}") from error
    with file:
        yield Report(file)
