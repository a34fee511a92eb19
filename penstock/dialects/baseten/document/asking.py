"""What is asked."""

from collections.abc import Mapping
from typing import Any

from penstock.contracts.http.baseten import CancelAnswer, QueueStatus, RequestStatus
from penstock.contracts.http.native import (
    LONGEST_WAIT_SECONDS,
    MOST_LISTED,
    RequestList,
    StatusAnswers,
    StatusQuestion,
)
from penstock.dialects.baseten.document.examples import MODEL, REQUEST_ID, STATUS
from penstock.dialects.baseten.listing import DEFAULT_LIMIT, STATUSES
from penstock.dialects.operation import ANY_TYPE, JSON, Answer, Body, OperationDescription


def _query(name: str, description: str, **schema: object) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


ASKING: Mapping[str, OperationDescription] = {
    "get_request": OperationDescription(
        summary="Where is my request?",
        description=(
            "The status of a request, while it waits and runs and for days after its end. The id "
            "is ours, or the one that its caller gave it in another dialect."
        ),
        parameters=(
            _query(
                "wait",
                "Our extension. Answers when the request has ended, or after so many seconds.",
                type="integer",
                minimum=0,
                maximum=LONGEST_WAIT_SECONDS,
                default=0,
            ),
        ),
        successes={
            200: Answer(description="The status.", body=Body(model=RequestStatus, example=STATUS))
        },
        errors=(400, 404),
    ),
    "get_statuses": OperationDescription(
        summary="Where are my requests?",
        description="Our extension. The status of many requests, by the ids that we gave them.",
        body=Body(model=StatusQuestion, example={"request_ids": [REQUEST_ID, "unknown"]}),
        successes={
            200: Answer(
                description="The statuses.",
                body=Body(
                    model=StatusAnswers, example={"requests": [STATUS], "missing": ["unknown"]}
                ),
            )
        },
        errors=(400,),
    ),
    "list_requests": OperationDescription(
        summary="What have I sent?",
        description=(
            "Our extension. Your requests at the deployment, the newest first; a new one is there "
            "within seconds. A page may hold fewer than `limit`, even none, and have a `next`."
        ),
        parameters=(
            _query("status", "Only with this status.", type="string", enum=list(STATUSES)),
            _query("created_after", "Only from this moment on.", type="string", format="date-time"),
            _query(
                "created_before", "Only from before this moment.", type="string", format="date-time"
            ),
            _query(
                "limit",
                "At most so many.",
                type="integer",
                minimum=1,
                maximum=MOST_LISTED,
                default=DEFAULT_LIMIT,
            ),
            _query("next", "The `next` of the page before.", type="string"),
        ),
        successes={
            200: Answer(
                description="Some of them.",
                body=Body(model=RequestList, example={"requests": [STATUS], "next": "MjAyNi0…"}),
            )
        },
        errors=(400, 404),
    ),
    "cancel_request": OperationDescription(
        summary="Cancel a request",
        description=(
            "A request that no replica has taken is canceled. One that runs or waits for its next "
            "attempt goes on, unless `force` is given."
        ),
        parameters=(
            _query(
                "force",
                "Our extension. Also cancels a request that waits for its next attempt, and "
                "asks one that runs to stop.",
                type="boolean",
                default=False,
            ),
        ),
        successes={
            200: Answer(
                description="What became of the wish; also when it came too late.",
                body=Body(
                    model=CancelAnswer,
                    example={
                        "request_id": REQUEST_ID,
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
            "Our extension. Small results are answered as the model wrote them, with their "
            "content type; others by a redirect to a presigned URL. Do not send the API key there."
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
                    example={**MODEL, "num_queued_requests": 12, "num_in_progress_requests": 3},
                ),
            )
        },
        errors=(404,),
    ),
}
