"""Where the lines of a batch go, and what is said of them on stderr."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import typer

_MOST_TOLD = 20


@dataclass
class Report:
    """Writes lines of JSON as data, and tells people which of them failed."""

    file: IO[str] | None
    """`None`: stdout."""

    _failures: int = field(default=0, init=False)

    @property
    def has_failures(self) -> bool:
        """Whether any line had an error."""
        return self._failures > 0

    @property
    def leaves_room(self) -> bool:
        """Whether a terminal shows something else than the lines themselves."""
        return self.file is not None or not sys.stdout.isatty()

    def write_all(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Write lines as they come; tell which have an error, and in the end how many."""
        counts: Counter[str] = Counter()
        for line in lines:
            typer.echo(json.dumps(line, ensure_ascii=False), file=self.file)
            counts[_state(line)] += 1
            if "error" in line:
                self._tell(line)
        if self._failures > _MOST_TOLD:
            typer.echo(f"… and {self._failures - _MOST_TOLD} more lines have an error", err=True)
        said = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        typer.echo(f"{counts.total()} lines: {said}", err=True)

    def _tell(self, line: Mapping[str, Any]) -> None:
        self._failures += 1
        if self._failures <= _MOST_TOLD:
            request_id = f" ({line['request_id']})" if "request_id" in line else ""
            said = f"line {line['index'] + 1}{request_id} {_state(line)}: {line['error']}"
            typer.echo(said, err=True)


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
