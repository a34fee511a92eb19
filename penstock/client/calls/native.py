"""The calls of what Penstock serves beyond the Baseten inference API. No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from penstock.client.answers import body_of
from penstock.client.calls.baseten import Call, target
from penstock.contracts.http.native import (
    MOST_LISTED,
    BatchAnswer,
    RequestList,
    StatusAnswers,
    UploadPlace,
)


class ListOptions(TypedDict, total=False):
    """Which requests of a deployment are wanted; all by default."""

    environment: str | None
    deployment: str | None
    status: str | None
    """Only those with this status."""

    created_after: datetime | None
    """Only those from this moment on; it needs a zone."""

    created_before: datetime | None
    """Only those from before this moment; it needs a zone."""


def batch(
    model: str,
    items: Sequence[Mapping[str, Any]],
    environment: str | None,
    deployment: str | None,
) -> Call[BatchAnswer]:
    """Return the call that submits several requests."""
    return Call(
        method="POST",
        path=f"{target(model, environment, deployment)}/async_predict_batch",
        read=body_of(BatchAnswer),
        body={"requests": list(items)},
    )


def batch_in_s3(
    model: str, location: str, environment: str | None, deployment: str | None
) -> Call[BatchAnswer]:
    """Return the call that submits the JSON lines at a place in S3."""
    return Call(
        method="POST",
        path=f"{target(model, environment, deployment)}/async_predict_batch",
        read=body_of(BatchAnswer),
        body={"input_location": location},
        # A line need not have an idempotency key.
        is_repeatable=False,
    )


def statuses(request_ids: Sequence[str]) -> Call[StatusAnswers]:
    """Return the call that reads where several requests are."""
    return Call(
        method="POST",
        path="/async_requests/status",
        read=body_of(StatusAnswers),
        body={"request_ids": list(request_ids)},
    )


def listing(model: str, options: ListOptions, after: str | None) -> Call[RequestList]:
    """Return the call that reads one page of a list."""
    query = {
        name: moment.isoformat()
        for name in ("created_after", "created_before")
        if isinstance(moment := options.get(name), datetime)
    }
    if status := options.get("status"):
        query["status"] = status
    if after is not None:
        query["next"] = after
    path = target(model, options.get("environment"), options.get("deployment"))
    return Call(
        method="GET",
        path=f"{path}/async_requests",
        read=body_of(RequestList),
        query={**query, "limit": str(MOST_LISTED)},
    )


def upload(content_type: str) -> Call[UploadPlace]:
    """Return the call that prepares an upload."""
    return Call(
        method="POST",
        path="/uploads",
        read=body_of(UploadPlace),
        body={"content_type": content_type},
    )
