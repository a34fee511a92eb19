"""What is left of a batch when the API fails midway, and how to go on from there."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer

from penstock.cli.batch.report import Report
from penstock.client import BatchEntry, ClientError


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
