"""Reading a moment in the past as people say it."""

from datetime import datetime

import typer

from penstock.cli.keys.commands import lifetime
from penstock.contracts.ports.clock import utc_now


def moment(text: str) -> datetime:
    """Read `12h` as so long ago, else a date or time; without a zone it is a local one."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        pass
    try:
        return utc_now() - lifetime(text)
    except typer.BadParameter as error:
        message = f"{text!r} is no time: say 30m, 12h, 7d or 2026-01-31T18:00"
        raise typer.BadParameter(message) from error
