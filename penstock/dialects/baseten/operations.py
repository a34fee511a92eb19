"""What the API's document says of each operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from penstock.contracts.http.baseten import (
    Accepted,
    AsyncPredict,
    CancelAnswer,
    QueueStatus,
    RequestStatus,
)
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.dialects.baseten.submission import IDEMPOTENCY_KEY_HEADER, IDEMPOTENCY_KEY_LENGTH

EXAMPLE_REQUEST_ID = "0123456789abcdef0123456789abcdef"
EXAMPLE_MODEL = {"model_id": "ocr", "deployment_id": "ocr-1"}


@dataclass(frozen=True, kw_only=True)
class Success:
    """An answer that is not an error."""

    status: int
    description: str
    body: type[BaseModel] | None = None
    """`None`: the body is not of our making, or there is none."""

    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header names and what they say."""


@dataclass(frozen=True, kw_only=True)
class OperationDescription:
    """One operation, on whatever path it is served."""

    summary: str
    description: str
    successes: tuple[Success, ...]
    errors: tuple[int, ...]
    """Those that only this operation answers; every operation answers some others."""

    body: type[BaseModel] | None = None
    body_example: Any = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    """Beside those in the path."""


OPERATIONS: Mapping[str, OperationDescription] = {
    "submit": OperationDescription(
        summary="Submit a request",
        description="Stores and queues a request and answers at once with its id.",
        body=AsyncPredict,
        body_example={
            "model_input": {"image": "iVBORw0KGgo="},
            "webhook_endpoint": "https://hooks.example.com/done",
            "priority": 1,
            "max_time_in_queue_seconds": 1800,
            "inference_retry_config": {
                "max_attempts": 4,
                "initial_delay_ms": 500,
                "max_delay_ms": 8000,
            },
        },
        parameters=(
            {
                "name": IDEMPOTENCY_KEY_HEADER,
                "in": "header",
                "description": (
                    "Our extension. A repeat with the same key and the same submission answers "
                    "with the first request's id and starts nothing new."
                ),
                "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH},
            },
        ),
        successes=(
            Success(
                status=201,
                description="The request is stored and queued.",
                body=Accepted,
                example={"request_id": EXAMPLE_REQUEST_ID},
                headers={REQUEST_ID_HEADER: "The request id again."},
            ),
        ),
        errors=(400, 404, 409, 413),
    ),
    "get_request": OperationDescription(
        summary="Where is my request?",
        description="The status of a request, while it waits and runs and for days after its end.",
        successes=(
            Success(
                status=200,
                description="The status.",
                body=RequestStatus,
                example={
                    "request_id": EXAMPLE_REQUEST_ID,
                    **EXAMPLE_MODEL,
                    "status": "IN_PROGRESS",
                    "webhook_status": "PENDING",
                    "created_at": "2026-01-02T03:04:05.678901Z",
                    "status_at": "2026-01-02T03:04:09.000001Z",
                    "errors": [],
                },
            ),
        ),
        errors=(404,),
    ),
    "cancel_request": OperationDescription(
        summary="Cancel a request",
        description=(
            "A request that no replica has taken is canceled. One that runs or waits for its next "
            "attempt goes on, unless `force` is given."
        ),
        parameters=(
            {
                "name": "force",
                "in": "query",
                "description": (
                    "Our extension. Also cancels a request that waits for its next attempt, and "
                    "asks one that runs to stop."
                ),
                "schema": {"type": "boolean", "default": False},
            },
        ),
        successes=(
            Success(
                status=200,
                description="What became of the wish; also when it came too late.",
                body=CancelAnswer,
                example={
                    "request_id": EXAMPLE_REQUEST_ID,
                    "canceled": True,
                    "message": "The request was canceled.",
                },
            ),
        ),
        errors=(400, 404),
    ),
    "get_result": OperationDescription(
        summary="Fetch a result",
        description=(
            "Our extension. Small JSON results are answered as the model wrote them; others by a "
            "redirect to a presigned URL. Do not send the API key there."
        ),
        successes=(
            Success(status=200, description="The result.", example={"text": "Penstock"}),
            Success(
                status=303,
                description="The result lies elsewhere.",
                headers={"Location": "A URL that can be read for some minutes, without a key."},
            ),
        ),
        errors=(404, 409),
    ),
    "queue_status": OperationDescription(
        summary="How long is the queue?",
        description="How many requests of a deployment wait and run; SQS settles within a minute.",
        successes=(
            Success(
                status=200,
                description="The counts.",
                body=QueueStatus,
                example={
                    **EXAMPLE_MODEL,
                    "num_queued_requests": 12,
                    "num_in_progress_requests": 3,
                },
            ),
        ),
        errors=(404,),
    ),
}
