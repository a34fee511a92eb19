"""What the API's document says of each operation."""

from collections.abc import Mapping

from penstock.contracts.http.baseten import (
    Accepted,
    AsyncPredict,
    CancelAnswer,
    ErrorBody,
    QueueStatus,
    RequestStatus,
)
from penstock.contracts.http.native import IDEMPOTENCY_KEY_LENGTH
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.dialects.baseten.submission import IDEMPOTENCY_KEY_HEADER
from penstock.dialects.operation import (
    ANY_TYPE,
    JSON,
    Answer,
    Body,
    DialectDescription,
    Failure,
    OperationDescription,
)

EXAMPLE_REQUEST_ID = "0123456789abcdef0123456789abcdef"
EXAMPLE_MODEL = {"model_id": "ocr", "deployment_id": "ocr-1"}
EXAMPLE_SUBMISSION = {
    "model_input": {"image": "iVBORw0KGgo="},
    "webhook_endpoint": "https://hooks.example.com/done",
    "priority": 1,
    "max_time_in_queue_seconds": 1800,
    "inference_retry_config": {
        "max_attempts": 4,
        "initial_delay_ms": 500,
        "max_delay_ms": 8000,
    },
}
EXAMPLE_STATUS = {
    "request_id": EXAMPLE_REQUEST_ID,
    **EXAMPLE_MODEL,
    "status": "IN_PROGRESS",
    "webhook_status": "PENDING",
    "created_at": "2026-01-02T03:04:05.678901Z",
    "status_at": "2026-01-02T03:04:09.000001Z",
    "errors": [],
}

OPERATIONS: Mapping[str, OperationDescription] = {
    "submit": OperationDescription(
        summary="Submit a request",
        description="Stores and queues a request and answers at once with its id.",
        body=Body(model=AsyncPredict, example=EXAMPLE_SUBMISSION),
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
        successes={
            201: Answer(
                description="The request is stored and queued.",
                body=Body(model=Accepted, example={"request_id": EXAMPLE_REQUEST_ID}),
                headers={REQUEST_ID_HEADER: "The request id again."},
            ),
        },
        errors=(400, 404, 409, 413),
    ),
    "get_request": OperationDescription(
        summary="Where is my request?",
        description="The status of a request, while it waits and runs and for days after its end.",
        successes={
            200: Answer(
                description="The status.", body=Body(model=RequestStatus, example=EXAMPLE_STATUS)
            )
        },
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
        successes={
            200: Answer(
                description="What became of the wish; also when it came too late.",
                body=Body(
                    model=CancelAnswer,
                    example={
                        "request_id": EXAMPLE_REQUEST_ID,
                        "canceled": True,
                        "message": "The request was canceled.",
                    },
                ),
            )
        },
        errors=(400, 404),
    ),
    "get_result": OperationDescription(
        summary="Fetch a result",
        description=(
            "Our extension. Small JSON results are answered as the model wrote them; others by a "
            "redirect to a presigned URL. Do not send the API key there."
        ),
        successes={
            200: Answer(
                description="The result.",
                body=Body(example={"text": "Penstock"}, content_types=(JSON, ANY_TYPE)),
            ),
            303: Answer(
                description="The result lies elsewhere.",
                headers={"Location": "A URL that can be read for some minutes, without a key."},
            ),
        },
        errors=(404, 409),
    ),
    "queue_status": OperationDescription(
        summary="How long is the queue?",
        description="How many requests of a deployment wait and run; SQS settles within a minute.",
        successes={
            200: Answer(
                description="The counts.",
                body=Body(
                    model=QueueStatus,
                    example={
                        **EXAMPLE_MODEL,
                        "num_queued_requests": 12,
                        "num_in_progress_requests": 3,
                    },
                ),
            )
        },
        errors=(404,),
    ),
}


def _failure(
    name: str,
    description: str,
    code: str,
    *,
    is_everywhere: bool = False,
    retry_after: bool = False,
) -> Failure:
    return Failure(
        name=name,
        description=description,
        body=Body(model=ErrorBody, example={"error": description, "error_code": code}),
        headers={"Retry-After": "Seconds."} if retry_after else {},
        is_everywhere=is_everywhere,
    )


FAILURES = {
    400: _failure(
        "BadRequest", "The call is malformed; the text names the fields.", "client_error"
    ),
    401: _failure(
        "Unauthorized",
        "The API key is missing, wrong, expired or revoked.",
        "unauthorized",
        is_everywhere=True,
    ),
    404: _failure("NotFound", "No such model, deployment or request.", "model_does_not_exist"),
    409: _failure(
        "Conflict",
        "There is no result (yet), or the idempotency key has another submission.",
        "result_not_ready",
    ),
    413: _failure(
        "PayloadTooLarge", "The text tells the actual and the allowed size.", "payload_too_large"
    ),
    429: _failure(
        "TooManyRequests",
        "Too many calls; send the same call again later.",
        "rate_limited",
        is_everywhere=True,
    ),
    500: _failure("InternalError", "Our fault.", "internal_baseten_error", is_everywhere=True),
    503: _failure(
        "Unavailable",
        "Send the same call again.",
        "model_unavailable",
        is_everywhere=True,
        retry_after=True,
    ),
}

DESCRIPTION = DialectDescription(
    operations=OPERATIONS,
    failures=FAILURES,
    path_parameters={
        "model_id": "The model.",
        "environment": "An environment of the model, such as `production` or `staging`.",
        "deployment_id": "A deployment of the model.",
        "request_id": "The id that the submission was answered with.",
    },
)
