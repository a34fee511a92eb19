"""Reading the log files of a stack, also while they grow."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from penstock.contracts.errors import PenstockError

SEPARATOR = " | "
"""Between a log's name and its line."""


class NoSuchLogError(PenstockError):
    """No log has this name; the text says which there are."""


class LogReader:
    """The logs of one folder whose names begin alike; lines carry their log's name."""

    def __init__(self, folder: Path, beginning: str) -> None:
        self._folder = folder
        self._beginning = beginning
        self._positions: dict[Path, int] = {}

    def last(self, lines: int) -> Iterator[str]:
        """Yield the last lines of every log.

        Raises:
            NoSuchLogError: there is none.
        """
        files = self._files()
        if not files:
            known = ", ".join(sorted(file.stem for file in self._folder.glob("*.*"))) or "none yet"
            raise NoSuchLogError(f"no log begins with {self._beginning!r}; there are: {known}")
        for file in files:
            yield from deque(self._read(file), maxlen=lines)

    def new(self) -> Iterator[str]:
        """Yield what was written since the last call, whole lines only; logs may have come."""
        for file in self._files():
            yield from self._read(file)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._beginning}*"))

    def _read(self, file: Path) -> Iterator[str]:
        with file.open("rb") as log:
            log.seek(self._positions.get(file, 0))
            for line in log:
                if not line.endswith(b"\n"):
                    return
                self._positions[file] = log.tell()
                yield f"{file.stem}{SEPARATOR}{line.decode(errors='replace').rstrip()}"
