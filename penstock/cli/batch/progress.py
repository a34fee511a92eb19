"""A bar on a terminal's stderr; nothing where nobody looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


@dataclass(frozen=True)
class Bar:
    """Shows how many are done."""

    drawn: tuple[Progress, TaskID] | None

    def show(self, done: int) -> None:
        """Show that so many are."""
        if self.drawn:
            progress, task = self.drawn
            progress.update(task, completed=done)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Leave the terminal to what is printed while the block lasts."""
        if self.drawn is None:
            yield
            return
        progress, _ = self.drawn
        progress.stop()
        yield
        progress.start()


@contextmanager
def bar(what: str, total: int, *, is_wanted: bool = True) -> Iterator[Bar]:
    """Give what shows how many of `total` are done, while the block lasts."""
    console = Console(stderr=True)
    if not (is_wanted and console.is_terminal):
        yield Bar(None)
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(what, markup=False),
        TimeElapsedColumn(),
    )
    # What is printed meanwhile is data, and not for stderr.
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        yield Bar((progress, progress.add_task(what, total=total)))
