"""Errors by the names that botocore tells apart."""

import pytest

from penstock.contracts import errors
from penstock.contracts.request import RequestState
from penstock.dialects.sagemaker.errors import error_answer
from penstock.dialects.sagemaker.signature.refusals import (
    IncompleteSignatureError,
    InvalidSignatureError,
    MissingAuthenticationTokenError,
    UnrecognizedClientError,
)


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (errors.InvalidSubmissionError("", "wrong"), 400, "ValidationError"),
        (errors.PayloadTooLargeError(2, 1), 400, "ValidationError"),
        (errors.UnknownModelError("no such"), 400, "ValidationError"),
        (errors.IdempotencyConflictError("r1"), 400, "ValidationError"),
        (errors.ResultNotReadyError("r1", RequestState.QUEUED), 400, "ValidationError"),
        (errors.UnauthorizedError("revoked"), 403, "UnrecognizedClientException"),
        (UnrecognizedClientError(), 403, "UnrecognizedClientException"),
        (InvalidSignatureError("no match"), 403, "InvalidSignatureException"),
        (IncompleteSignatureError("cut"), 403, "IncompleteSignatureException"),
        (MissingAuthenticationTokenError(), 403, "MissingAuthenticationTokenException"),
        (errors.RateLimitedError("too fast", 7), 429, "ThrottlingException"),
        (errors.UnavailableError("put", "throttled"), 503, "ServiceUnavailable"),
        (KeyError("secret detail"), 500, "InternalFailure"),
        (errors.SettingsError("secret detail"), 500, "InternalFailure"),
    ],
)
def test_every_error_has_the_status_and_the_name_that_clients_know(
    error: Exception, status: int, name: str
) -> None:
    answer = error_answer(error)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (status, name)
    told = answer.body.model_dump()["Message"]
    assert told == str(error) if isinstance(error, errors.CallerError) else "secret" not in told


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(errors.RateLimitedError("too fast", 7), "7"), (errors.UnavailableError("put", ""), "1")],
)
def test_who_may_come_again_is_told_when(error: Exception, seconds: str) -> None:
    assert error_answer(error).headers["Retry-After"] == seconds


def test_a_message_is_as_long_as_the_model_allows() -> None:
    error = errors.InvalidSubmissionError("", "x" * 5_000)
    assert len(error_answer(error).body.model_dump()["Message"]) == 2_048
