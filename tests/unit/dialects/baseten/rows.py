"""Rows in every state, as the store leaves them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.contracts.request import AsyncRequest, Tenant
from penstock.contracts.submission import Submission

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
WEBHOOK = "https://hooks.example.com/done"


def a_row(**changes: Any) -> AsyncRequest:
    """Return an accepted row with `changes`."""
    submission = Submission(tenant=Tenant("acme"), payload=b"1", webhook_endpoint=WEBHOOK)
    row = submission.accepted("ocr", "ocr-1", NOON)
    return row.model_copy(update={"status_at": NOON + timedelta(seconds=1.5), **changes})
