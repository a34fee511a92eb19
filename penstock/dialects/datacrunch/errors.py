"""The error tree as this dialect answers it: `{"error": …}`."""

from collections.abc import Mapping
from http import HTTPStatus

from penstock.contracts import errors
from penstock.contracts.contract import Contract
from penstock.dialects.error_answer import ErrorAnswer

_RETRY_AFTER_SECONDS = 1

_CALLER_ERRORS: Mapping[type[errors.CallerError], HTTPStatus] = {
    errors.PayloadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnauthorizedError: HTTPStatus.UNAUTHORIZED,
    errors.UnknownModelError: HTTPStatus.NOT_FOUND,
    errors.UnknownRequestError: HTTPStatus.NOT_FOUND,
    errors.RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
}
"""What is not listed is the caller's mistake in what was sent."""


class ErrorText(Contract):
    """What is said of any error."""

    error: str


def error_answer(error: Exception) -> ErrorAnswer:
    """Return what to tell the caller; an error that nobody foresaw tells nothing of itself."""
    if isinstance(error, errors.UnavailableError):
        return ErrorAnswer(
            HTTPStatus.SERVICE_UNAVAILABLE,
            ErrorText(error=error.advice),
            {"Retry-After": str(_RETRY_AFTER_SECONDS)},
        )
    if isinstance(error, errors.UnreadableRowError):
        return ErrorAnswer(HTTPStatus.SERVICE_UNAVAILABLE, ErrorText(error=str(error)), {})
    if isinstance(error, errors.ResultNotReadyError):
        # Clients look for this text.
        return ErrorAnswer(HTTPStatus.NOT_FOUND, ErrorText(error="result not found"), {})
    if isinstance(error, errors.CallerError):
        status = _CALLER_ERRORS.get(type(error), HTTPStatus.BAD_REQUEST)
        headers = (
            {"Retry-After": str(error.retry_after_seconds)}
            if isinstance(error, errors.RateLimitedError)
            else {}
        )
        return ErrorAnswer(status, ErrorText(error=str(error)), headers)
    return ErrorAnswer(
        HTTPStatus.INTERNAL_SERVER_ERROR, ErrorText(error="internal error; try again"), {}
    )
