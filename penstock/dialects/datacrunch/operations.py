"""What the API's document says of this dialect."""

from collections.abc import Mapping
from typing import Any

from penstock.dialects.datacrunch.answers import Envelope, StatusAnswer
from penstock.dialects.datacrunch.errors import ErrorText
from penstock.dialects.datacrunch.inference_id import GRAMMAR, INFERENCE_ID_HEADER
from penstock.dialects.datacrunch.preferences import PREFER_HEADER
from penstock.dialects.operation import (
    ANY_TYPE,
    JSON,
    Answer,
    Body,
    DialectDescription,
    Failure,
    OperationDescription,
)

_ENVELOPE = {"Id": "page-7", "StatusPath": "/status/ocr", "ResultPath": "/result/ocr"}
_STATUS = {"Id": "page-7", "Status": "Inference", "Error": None}
_ANY_BODY = Body(
    example={"image": "iVBORw0KGgo="}, content_types=(JSON, ANY_TYPE), is_required=False
)
_ANY_RESULT = Body(example={"text": "Penstock"}, content_types=(JSON, ANY_TYPE))

_PREFERRED = {"Preference-Applied": "What was honoured.", "Vary": "`Prefer`."}
_PASSED_ON = Answer(
    description="Whatever else the container answered, with its own status.",
    body=Body(example={"detail": "Not Found"}, content_types=(JSON, ANY_TYPE)),
)
_ELSEWHERE = Answer(
    description="The answer is too large to travel inside and lies elsewhere.",
    headers={"Location": "A URL that can be read for some minutes, without a key."},
)


def _inference_id(description: str, *, is_required: bool) -> Mapping[str, Any]:
    return {
        "name": INFERENCE_ID_HEADER,
        "in": "header",
        "required": is_required,
        "description": description,
        "schema": {"type": "string", "pattern": f"^{GRAMMAR}$"},
    }


_CALL = OperationDescription(
    summary="Call a container",
    description=(
        "Method, what follows the deployment's name, query, headers and body reach the container "
        "as they were sent, except the API key, compression and what concerns one connection. "
        "`Prefer` (RFC 7240) says how the call is answered.\n\n"
        "- Nothing: with the container's own answer, whatever its status. After 25 s the answer "
        "is 202 with the id, and the request goes on.\n"
        "- `respond-async`: with 202 and the id, at once.\n"
        "- `respond-async-proxy`: with 202 and no body, at once; the container receives "
        "`Prefer: respond-async`.\n"
        "- `respond-async-container`: as without, and the container receives "
        "`Prefer: respond-async`.\n"
        "- `wait=N` beside any but the proxy: waits for the answer, but no longer than N s.\n\n"
        "Calls that somebody waits for have priority 0, the others priority 1. A request that no "
        "replica takes within 600 s expires. Of the container's headers only the content type is "
        "answered."
    ),
    body=_ANY_BODY,
    parameters=(
        {
            "name": PREFER_HEADER,
            "in": "header",
            "description": "How to answer; what is unknown travels on to the container.",
            "schema": {"type": "string"},
        },
        _inference_id(
            "By what id the caller wants to know the request. A repeat with the same id at the "
            "same deployment means the first request, whatever it says.",
            is_required=False,
        ),
    ),
    successes={
        200: Answer(
            description="The container's own answer; its status may be another.",
            body=_ANY_RESULT,
            headers={INFERENCE_ID_HEADER: "The id of the request.", **_PREFERRED},
        ),
        202: Answer(
            description="The request is stored and queued. Without a body if so preferred.",
            body=Body(model=Envelope, example=_ENVELOPE),
            headers={
                INFERENCE_ID_HEADER: "The id again.",
                "Location": "Where the result will be.",
                **_PREFERRED,
            },
        ),
        303: _ELSEWHERE,
    },
    errors=(400, 404, 410, 413, 502, 504),
    passed_on=_PASSED_ON,
)

OPERATIONS: Mapping[str, OperationDescription] = {
    "datacrunch_call": _CALL,
    "datacrunch_status": OperationDescription(
        summary="Where is my call?",
        description=(
            "`Queue`, `Inference`, `Completed`, in this order; a request that failed, expired or "
            "was canceled is `Completed` and has an `Error`. Requests of other dialects are found "
            "by their ids."
        ),
        parameters=(_inference_id("Of which request.", is_required=True),),
        successes={
            200: Answer(description="The status.", body=Body(model=StatusAnswer, example=_STATUS))
        },
        errors=(400, 404),
    ),
    "datacrunch_result": OperationDescription(
        summary="Fetch a call's result",
        description=(
            "200 with what the container answered, as often as wanted. A container's error has "
            "the container's status and body. 404 `result not found` before the end; 410 after a "
            "cancellation, 504 when time ran out, 502 when the request ended without an answer "
            "for another reason."
        ),
        parameters=(_inference_id("Of which request.", is_required=True),),
        successes={
            200: Answer(
                description="The result; JSON has exactly the type `application/json`.",
                body=_ANY_RESULT,
            ),
            303: _ELSEWHERE,
        },
        errors=(400, 404, 410, 502, 504),
        passed_on=_PASSED_ON,
    ),
}


def _failure(name: str, description: str, error: str, *, is_everywhere: bool = False) -> Failure:
    return Failure(
        name=name,
        description=description,
        body=Body(model=ErrorText, example={"error": error}),
        is_everywhere=is_everywhere,
    )


DESCRIPTION = DialectDescription(
    operations=OPERATIONS,
    failures={
        400: _failure("BadRequest", "The call is malformed.", "X-Inference-Id: is missing"),
        401: _failure(
            "Unauthorized",
            "The API key is missing, wrong, expired or revoked.",
            "no valid API key was sent",
            is_everywhere=True,
        ),
        404: _failure("NotFound", "No such deployment, request or result.", "result not found"),
        410: _failure("Canceled", "The request was canceled.", "the request was canceled"),
        413: _failure("PayloadTooLarge", "The body is too large.", "the body is too large"),
        429: _failure(
            "TooManyRequests",
            "Too many calls; send the same call again later.",
            "too many calls; wait and try again",
            is_everywhere=True,
        ),
        500: _failure(
            "InternalError", "Our fault.", "internal error; try again", is_everywhere=True
        ),
        502: _failure(
            "BadGateway",
            "The request ended without an answer of the container.",
            "MODEL_UNAVAILABLE: The model server closed the connection unanswered.",
        ),
        503: _failure(
            "Unavailable",
            "Send the same call again.",
            "temporarily unavailable; send the same call again",
            is_everywhere=True,
        ),
        504: _failure(
            "GatewayTimeout",
            "The request expired in the queue, or the container did not answer in time.",
            "MODEL_PREDICT_TIMEOUT: Prediction ran longer than 3600 s.",
        ),
    },
    path_parameters={
        "deployment": "`<model>` (its production), `<model>-<environment>` or the deployment's id.",
        "path": "Where in the container; any number of segments.",
    },
)
