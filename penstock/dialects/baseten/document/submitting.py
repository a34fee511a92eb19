"""What is sent in."""

from collections.abc import Mapping
from typing import Any

from penstock.contracts.http.baseten import Accepted, AsyncPredict
from penstock.contracts.http.native import (
    IDEMPOTENCY_KEY_LENGTH,
    BatchAnswer,
    BatchSubmission,
    UploadPlace,
    UploadRequest,
)
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.dialects.baseten.document.examples import REQUEST_ID, SUBMISSION, UPLOADED
from penstock.dialects.baseten.submission import IDEMPOTENCY_KEY_HEADER
from penstock.dialects.operation import Answer, Body, OperationDescription

_IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": IDEMPOTENCY_KEY_HEADER,
    "in": "header",
    "description": (
        "Our extension. A repeat with the same key and the same submission to the same model "
        "answers with the first request's id and starts nothing new."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_LENGTH},
}
_ACCEPTED = Answer(
    description="The request is stored and queued.",
    body=Body(model=Accepted, example={"request_id": REQUEST_ID}),
    headers={REQUEST_ID_HEADER: "The request id again."},
)

SUBMITTING: Mapping[str, OperationDescription] = {
    "submit": OperationDescription(
        summary="Submit a request",
        description="Stores and queues a request and answers at once with its id.",
        body=Body(model=AsyncPredict, example=SUBMISSION),
        parameters=(_IDEMPOTENCY_KEY,),
        successes={201: _ACCEPTED},
        errors=(400, 404, 409, 413),
    ),
    "submit_chain": OperationDescription(
        summary="Submit a request to a chain",
        description=(
            "As for a model. A body without `model_input` is taken as the arguments themselves."
        ),
        body=Body(schema={"type": "object"}, example={"image": "iVBORw0KGgo="}),
        parameters=(_IDEMPOTENCY_KEY,),
        successes={201: _ACCEPTED},
        errors=(400, 404, 409, 413),
    ),
    "submit_batch": OperationDescription(
        summary="Submit many requests",
        description=(
            "Our extension. Each item is accepted or refused alone; a refused one may be sent "
            "again alone. 429 means that none was accepted."
        ),
        body=Body(
            model=BatchSubmission,
            example={"requests": [{"model_input": 1, "idempotency_key": "a"}, {"model_input": 2}]},
        ),
        successes={
            200: Answer(
                description="What became of each.",
                body=Body(
                    model=BatchAnswer,
                    example={
                        "accepted": 1,
                        "refused": 1,
                        "requests": [
                            {"index": 0, "request_id": REQUEST_ID},
                            {
                                "index": 1,
                                "error": "priority: Input should be a number",
                                "error_code": "client_error",
                            },
                        ],
                    },
                ),
            )
        },
        errors=(400, 404),
    ),
    "create_upload": OperationDescription(
        summary="Prepare an upload",
        description=(
            "Our extension. Answers where to send up to 5 GB with plain HTTPS; afterwards "
            "`location` is the `model_input_location` of a submission."
        ),
        body=Body(model=UploadRequest, example={"content_type": "image/png"}, is_required=False),
        successes={
            201: Answer(
                description="Where to send the bytes, without the API key.",
                body=Body(
                    model=UploadPlace,
                    example={
                        "url": "https://payloads.s3.eu-central-1.amazonaws.com/uploads/acme/0f1e…",
                        "method": "PUT",
                        "headers": {"Content-Type": "image/png", "If-None-Match": "*"},
                        "location": UPLOADED,
                        "expires_in_seconds": 3600,
                    },
                ),
            )
        },
        errors=(400,),
    ),
    "wake": OperationDescription(
        summary="Wake a deployment",
        description="Starts a replica if none runs; a queued request does the same.",
        successes={
            202: Answer(
                description="It is on its way.",
                body=Body(schema={"type": "object"}, example={}),
                headers={REQUEST_ID_HEADER: "The id of this call."},
            )
        },
        errors=(404,),
    ),
}
