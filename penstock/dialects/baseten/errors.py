"""The error tree as HTTP answers."""

from collections.abc import Mapping
from http import HTTPStatus

from penstock.contracts import errors
from penstock.contracts.http.baseten import ErrorBody
from penstock.dialects.error_answer import ErrorAnswer

RETRY_AFTER_SECONDS = 1

# `result_not_ready` and `no_result` are ours, of a call that is ours; the others are Baseten's.
_ANSWERS: Mapping[type, tuple[HTTPStatus, str]] = {
    errors.InvalidSubmissionError: (HTTPStatus.BAD_REQUEST, "client_error"),
    errors.PayloadTooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large"),
    errors.UnauthorizedError: (HTTPStatus.UNAUTHORIZED, "unauthorized"),
    errors.UnknownModelError: (HTTPStatus.NOT_FOUND, "model_does_not_exist"),
    errors.UnknownRequestError: (HTTPStatus.NOT_FOUND, "client_error"),
    errors.ResultNotReadyError: (HTTPStatus.CONFLICT, "result_not_ready"),
    errors.IdempotencyConflictError: (HTTPStatus.CONFLICT, "client_error"),
    errors.RateLimitedError: (HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"),
    errors.UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "model_unavailable"),
    errors.UnreadableRowError: (HTTPStatus.SERVICE_UNAVAILABLE, "model_unavailable"),
}


def error_answer(error: Exception) -> ErrorAnswer:
    """Return what to tell the caller; an error that nobody foresaw tells nothing of itself."""
    headers = {}
    if isinstance(error, errors.UnavailableError):
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    elif isinstance(error, errors.RateLimitedError):
        headers = {"Retry-After": str(error.retry_after_seconds)}
    return ErrorAnswer(_status_and_code(error)[0], error_body(error), headers)


def error_body(error: Exception) -> ErrorBody:
    """Return the words of the answer alone."""
    if isinstance(error, errors.CallerError | errors.UnreadableRowError):
        text = str(error)
    elif isinstance(error, errors.UnavailableError):
        text = error.advice
    else:
        text = "internal error"
    return ErrorBody(error=text, error_code=_status_and_code(error)[1])


def _status_and_code(error: Exception) -> tuple[HTTPStatus, str]:
    if isinstance(error, errors.ResultNotReadyError) and error.state.is_terminal:
        # Another code than before the end, so that nobody waits for a result that never comes.
        return HTTPStatus.CONFLICT, "no_result"
    known = (_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    return next(known, (HTTPStatus.INTERNAL_SERVER_ERROR, "internal_baseten_error"))
