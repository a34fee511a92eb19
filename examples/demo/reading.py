"""Submitting pages and following them to their end."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from examples.demo.pages import Page
from penstock.client import (
    Client,
    Handle,
    PenstockApiError,
    RequestStatus,
    WaitTimeoutError,
    has_ended,
    watch,
)

MODEL = "ocr"
PRIORITIES = (2, 1, 0)
"""In the order of submission: what comes last is read first."""

_LONGEST_PAUSE_SECONDS = 0.3  # so that the short time in progress is seen
_WAIT_SECONDS = 1200.0  # the first worker installs the model's requirements before it starts


@dataclass
class Reading:
    """One page, submitted at one priority."""

    page: Page
    priority: int
    handle: Handle | None = None
    refusal: str | None = None
    """Why the API did not accept it."""

    status: RequestStatus | None = None
    started_at: datetime | None = None
    """When a worker took it; `None` if that was over between two looks."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return f"{self.page.name} at priority {self.priority}"


def submit(client: Client, pages: Iterable[Page], webhook: str) -> list[Reading]:
    """Submit every page at every priority, the least urgent first."""
    pages = list(pages)
    readings = [Reading(page, priority) for priority in PRIORITIES for page in pages]
    for reading in readings:
        try:
            reading.handle = client.submit(
                MODEL,
                {"image": base64.b64encode(reading.page.image).decode()},
                priority=reading.priority,
                webhook=webhook,
                max_time_in_queue_seconds=3600,
            )
        except PenstockApiError as error:
            reading.refusal = str(error)
    return readings


def follow(readings: Sequence[Reading], console: Console) -> None:
    """Show the readings until all have ended or the time is up, and note what is seen."""
    accepted = {r.handle.request_id: r for r in readings if r.handle}
    handles = [r.handle for r in accepted.values() if r.handle]
    columns = (BarColumn(20), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = {
            request_id: progress.add_task(f"{reading.name}: accepted", total=1)
            for request_id, reading in accepted.items()
        }
        try:
            for status in watch(handles, _WAIT_SECONDS, longest_pause=_LONGEST_PAUSE_SECONDS):
                reading = accepted[status.request_id]
                reading.status = status
                if status.status == "IN_PROGRESS":
                    reading.started_at = status.status_at
                progress.update(
                    bars[status.request_id],
                    description=f"{reading.name}: {status.status}",
                    completed=int(has_ended(status)),
                )
        except WaitTimeoutError as error:
            console.print(f"[red]{error}[/red]")
