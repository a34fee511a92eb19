"""The error tree as HTTP answers."""

from collections.abc import Mapping
from http import HTTPStatus

from penstock.contracts import errors
from penstock.contracts.http.baseten import ErrorBody
from penstock.dialects.error_answer import ErrorAnswer

RETRY_AFTER_SECONDS = 1


# `result_not_ready`, `no_result` and `internal_server_error` are ours; the others are Baseten's.
_CALLER_ERRORS: Mapping[type[errors.CallerError], tuple[HTTPStatus, str]] = {
    errors.InvalidSubmissionError: (HTTPStatus.BAD_REQUEST, "client_error"),
    errors.PayloadTooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"),
    errors.UnauthorizedError: (HTTPStatus.UNAUTHORIZED, "unauthorized"),
    errors.UnknownModelError: (HTTPStatus.NOT_FOUND, "model_does_not_exist"),
    errors.UnknownRequestError: (HTTPStatus.NOT_FOUND, "client_error"),
    errors.ResultNotReadyError: (HTTPStatus.CONFLICT, "result_not_ready"),
    errors.IdempotencyConflictError: (HTTPStatus.CONFLICT, "client_error"),
}


def error_answer(error: Exception) -> ErrorAnswer:
    """Return what to tell the caller; an error that nobody foresaw tells nothing of itself."""
    if isinstance(error, errors.UnavailableError):
        return ErrorAnswer(
            HTTPStatus.SERVICE_UNAVAILABLE,
            ErrorBody(
                error="temporarily unavailable; send the same call again",
                error_code="model_unavailable",
            ),
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    if isinstance(error, errors.ResultNotReadyError) and error.state.is_terminal:
        # Another code than before the end, so that nobody waits for a result that never comes.
        return ErrorAnswer(
            HTTPStatus.CONFLICT, ErrorBody(error=str(error), error_code="no_result"), {}
        )
    if isinstance(error, errors.RateLimitedError):
        return ErrorAnswer(
            HTTPStatus.TOO_MANY_REQUESTS,
            ErrorBody(error=str(error), error_code="rate_limited"),
            {"Retry-After": str(error.retry_after_seconds)},
        )
    for kind, (status, code) in _CALLER_ERRORS.items():
        if isinstance(error, kind):
            return ErrorAnswer(status, ErrorBody(error=str(error), error_code=code), {})
    return ErrorAnswer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ErrorBody(error="internal error", error_code="internal_server_error"),
        {},
    )
