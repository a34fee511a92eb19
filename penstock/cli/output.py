"""Printing data: one JSON document for programs, or a table for people."""

import json
import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from pydantic import BaseModel

_PIPE_WIDTH = 240
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")

AsJson = Annotated[
    bool, typer.Option("--json", help="Print exactly one JSON document; talk on stderr.")
]


def print_json(document: object) -> None:
    """Print one JSON document."""
    typer.echo(writable(json.dumps(document, indent=2, ensure_ascii=False), sys.stdout))


def writable(text: str, file: "TextIO") -> str:
    """Return JSON text as it can be written to `file`: what its encoding lacks is escaped."""
    try:
        text.encode(file.encoding)
    except UnicodeEncodeError:
        # Outside of strings JSON is ASCII.
        return _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return text


def print_one(shown: "BaseModel", *, as_json: bool) -> None:
    """Print one thing: a JSON object, or a line for each field."""
    if as_json:
        print_json(shown.model_dump(mode="json"))
        return
    width = max(map(len, type(shown).model_fields))
    for name, value in shown:
        typer.echo(f"{name:<{width}}  {_cell(value)}")


def print_many(
    shown: "Sequence[BaseModel]",
    columns: "Sequence[str]",
    *,
    as_json: bool,
    never: frozenset[str] = frozenset(),
) -> None:
    """Print several things of a kind: a JSON array without the fields `never`, or a table."""
    if as_json:
        print_json([one.model_dump(mode="json", exclude=set(never)) for one in shown])
        return
    if not shown:
        typer.echo("none", err=True)
        return
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for one in shown:
        table.add_row(*(_cell(getattr(one, column)) for column in columns))
    # Into a pipe there is no width to keep to: ids must not be cut.
    Console(markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _cell(value: Any) -> str:  # noqa: ANN401 - any field of any shape
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, tuple):
        return "; ".join(f"{fault.code}: {fault.message}" for fault in value) or "-"
    return str(value)
