"""A bar on a terminal's stderr; nothing where nobody looks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


@contextmanager
def bar(what: str, total: int, *, is_wanted: bool = True) -> Iterator[Callable[[int], None]]:
    """Give what shows how many of `total` are done, while the block lasts."""
    console = Console(stderr=True)
    if not (is_wanted and console.is_terminal):
        yield lambda _: None
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
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
