"""The error tree as clients of SageMaker know it: botocore reads the name from a header."""

from http import HTTPStatus

from penstock.contracts import errors
from penstock.contracts.http.sagemaker import ERROR_TYPE_HEADER, ServiceError
from penstock.dialects.error_answer import ErrorAnswer
from penstock.dialects.sagemaker.signature.refusals import (
    SignatureRefusedError,
    UnrecognizedClientError,
)

RETRY_AFTER_SECONDS = 1
_LONGEST_MESSAGE = 2_048


def error_answer(error: Exception) -> ErrorAnswer:
    """Return what to tell the caller; an error that nobody foresaw tells nothing of itself."""
    if isinstance(error, errors.RateLimitedError):
        # AWS says 400; botocore repeats either, and other clients understand this one.
        return _answer(
            HTTPStatus.TOO_MANY_REQUESTS, "ThrottlingException", error, error.retry_after_seconds
        )
    if isinstance(error, errors.UnauthorizedError):
        refusal = error if isinstance(error, SignatureRefusedError) else UnrecognizedClientError
        return _answer(HTTPStatus.FORBIDDEN, refusal.name, error)
    if isinstance(error, errors.CallerError):
        return _answer(HTTPStatus.BAD_REQUEST, "ValidationError", error)
    if isinstance(error, errors.UnavailableError):
        return _answer(
            HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", error.advice, RETRY_AFTER_SECONDS
        )
    if isinstance(error, errors.UnreadableRowError):
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", error)
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure", "internal failure")


def _answer(
    status: HTTPStatus, name: str, text: object, retry_after_seconds: int | None = None
) -> ErrorAnswer:
    headers = {ERROR_TYPE_HEADER: name}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return ErrorAnswer(status, ServiceError(Message=str(text)[:_LONGEST_MESSAGE]), headers)
