"""What is left of a batch when the API fails midway, and how to go on from there."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer

from penstock.cli.batch.lines import FileInS3, Lines
from penstock.cli.batch.report import Report
from penstock.client import BatchEntry, ClientError


def way_on(source: Lines | FileInS3, prefix: str, *, is_named: bool) -> str:
    """Return what continues a batch; tell it at once to who gave the batch no name."""
    if isinstance(source, FileInS3):
        return "'penstock batch results' from these lines"
    again = f"the same command and --idempotency-prefix {prefix}"
    if not is_named:
        typer.echo(f"if this is stopped, continue with {again}", err=True)
    return again


@contextmanager
def continued_with(command: str, shown: Report) -> Iterator[None]:
    """Say, where the API fails after lines were written, what `command` continues the batch."""
    try:
        yield
    except ClientError:
        if shown.counts:
            typer.echo(f"what is known was written; continue with {command}", err=True)
        raise


def settled(entries: Iterable[BatchEntry], shown: Report) -> Sequence[BatchEntry]:
    """Return all entries; if the API fails before the last, write those that came."""
    came: list[BatchEntry] = []
    try:
        came.extend(entries)
    except ClientError:
        shown.write_all(entry.model_dump(mode="json") for entry in came)
        raise
    return came
