"""Showing how requests get on: a live line on a terminal, plain lines elsewhere."""

from collections import Counter
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from penstock.cli.failures import ExitCode
from penstock.cli.output import print_many, print_one
from penstock.client import has_ended, has_result, watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.client import Handle, RequestStatus

STATUS_COLUMNS = ("request_id", "model_id", "status", "webhook_status", "status_at", "errors")


def follow(
    handles: "Sequence[Handle]", timeout: float, *, as_json: bool, as_one: bool = False
) -> None:
    """Show the requests until they have ended, then print what was last seen of each.

    Raises:
        typer.Exit: one of them ended without success.
        WaitTimeoutError: the time is up; what was seen is printed all the same.
    """
    seen: dict[str, RequestStatus] = {}
    try:
        for status in _shown(watch(handles, timeout), total=len(handles)):
            seen[status.request_id] = status
    finally:
        if as_one and seen:
            print_one(*seen.values(), as_json=as_json)
        elif not as_one:
            print_many(list(seen.values()), STATUS_COLUMNS, as_json=as_json)
    if not all(map(has_result, seen.values())):
        raise typer.Exit(ExitCode.ENDED_WITHOUT_SUCCESS)


def _shown(changes: "Iterable[RequestStatus]", total: int) -> "Iterator[RequestStatus]":
    console = Console(stderr=True)
    if not console.is_terminal:
        for status in changes:
            typer.echo(f"{status.request_id} {status.status}", err=True)
            yield status
        return
    latest: dict[str, RequestStatus] = {}
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("asking", total=total)
        for status in changes:
            latest[status.request_id] = status
            counts = Counter(one.status for one in latest.values())
            progress.update(
                task,
                completed=sum(map(has_ended, latest.values())),
                description=", ".join(f"{count} {name}" for name, count in counts.items()),
            )
            yield status
