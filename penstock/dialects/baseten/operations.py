"""What the API's document says of this dialect's operations."""

from penstock.contracts.http.baseten import ErrorBody
from penstock.dialects.baseten.document.asking import ASKING
from penstock.dialects.baseten.document.submitting import SUBMITTING
from penstock.dialects.operation import Body, DialectDescription, Failure


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
    403: _failure("Forbidden", "This API key may not do that.", "unauthorized", is_everywhere=True),
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
    504: _failure(
        "TimedOut", "No answer in time; send the same call again.", "timeout", is_everywhere=True
    ),
}

DESCRIPTION = DialectDescription(
    operations={**SUBMITTING, **ASKING},
    failures=FAILURES,
    path_parameters={
        "model_id": "The model.",
        "chain_id": "The chain.",
        "environment": "An environment of the model, such as `production` or `staging`.",
        "deployment_id": "A deployment of the model.",
        "request_id": "What the submission was answered with, or its caller's own id.",
    },
)
