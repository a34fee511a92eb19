"""What the demo shows at the end."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from examples.demo.verdict import Verdict

_LINES_SHOWN = 6


def show_texts(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print the first lines of each page's text, and where each result lies."""
    pages = dict.fromkeys(verdict.reading.page.name for verdict in verdicts)
    for name in pages:
        readings = [verdict for verdict in verdicts if verdict.reading.page.name == name]
        console.print(Rule(name, align="left"))
        lines = next((v.text.splitlines() for v in readings if v.text), ["(no text)"])
        for line in lines[:_LINES_SHOWN]:
            console.print(Text(f"  {line}"))
        if more := len(lines[_LINES_SHOWN:]):
            console.print(Text(f"  … and {more} more", style="dim"))
        for verdict in readings:
            lies_in = verdict.stored.uri if verdict.stored else "nowhere"
            # Never wrapped: an address must be one piece to be copied.
            console.print(f"  priority {verdict.reading.priority}: {lies_in}", soft_wrap=True)


def show_times(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print when each step happened, in the order in which the readings started."""
    table = Table("page", "priority", "accepted", title="Time of each step (seconds after)")
    for step in ("started", "finished", "webhook"):
        table.add_column(step, justify="right")
    accepted_ones = [(v, v.reading.status) for v in verdicts if v.reading.status]
    for verdict, status in sorted(
        accepted_ones, key=lambda row: row[0].reading.started_at or row[1].status_at
    ):
        accepted = status.created_at
        table.add_row(
            verdict.reading.page.name,
            str(verdict.reading.priority),
            accepted.strftime("%H:%M:%S.%f")[:-3],
            _after(accepted, verdict.reading.started_at),
            _after(accepted, status.status_at),
            _after(accepted, verdict.webhook.received_at if verdict.webhook else None),
        )
    console.print(table)


def show_problems(verdicts: Sequence[Verdict], refusals: Sequence[str], console: Console) -> bool:
    """Print what did not match; return whether everything did."""
    for verdict in verdicts:
        for problem in verdict.problems:
            console.print(Text(f"✗ {verdict.reading.name}: {problem}", style="red"))
    for refusal in refusals:
        console.print(Text(f"✗ a webhook was refused: {refusal}", style="red"))
    if refusals or not verdicts or any(verdict.problems for verdict in verdicts):
        return False
    console.print(
        f"✓ {len(verdicts)} results: every webhook's signature was verified, and its data equals"
        " the object in the results bucket, which the API gives byte for byte.",
        style="green",
    )
    return True


def _after(accepted: datetime, moment: datetime | None) -> str:
    return "not seen" if moment is None else f"+{(moment - accepted).total_seconds():.1f}"
