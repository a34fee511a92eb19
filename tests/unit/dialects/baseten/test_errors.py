"""Errors as HTTP answers."""

import pytest

from penstock.contracts import errors
from penstock.contracts.http.baseten import ErrorBody
from penstock.contracts.request import RequestState
from penstock.dialects.baseten.errors import error_answer

CALLER_ERRORS = [
    (errors.InvalidSubmissionError("priority", "too large"), 400, "client_error"),
    (errors.PayloadTooLargeError(5, 4), 413, "payload_too_large"),
    (errors.UnauthorizedError("unknown API key"), 401, "unauthorized"),
    (errors.UnknownModelError("model x does not exist"), 404, "model_does_not_exist"),
    (errors.UnknownRequestError("r1"), 404, "client_error"),
    (errors.ResultNotReadyError("r1", RequestState.QUEUED), 409, "result_not_ready"),
    (errors.ResultNotReadyError("r1", RequestState.FAILED, "boom"), 409, "no_result"),
    (errors.IdempotencyConflictError("r1"), 409, "client_error"),
    (errors.RateLimitedError("too fast", 7), 429, "rate_limited"),
]


@pytest.mark.parametrize(("error", "status", "code"), CALLER_ERRORS, ids=str)
def test_a_caller_hears_what_was_wrong(error: Exception, status: int, code: str) -> None:
    answer = error_answer(error)
    assert answer.status == status
    assert answer.body == ErrorBody(error=str(error), error_code=code)


def test_every_error_of_a_caller_has_an_answer() -> None:
    assert {type(error) for error, _, _ in CALLER_ERRORS} == set(
        errors.CallerError.__subclasses__()
    )


def test_a_caller_is_told_when_to_come_again() -> None:
    answer = error_answer(errors.UnavailableError("PutItem", "throttled on table 123"))
    assert answer.status == 503
    assert answer.headers == {"Retry-After": "1"}
    assert "PutItem" not in answer.body.model_dump_json()


def test_a_caller_that_sends_too_much_is_told_when_to_come_again() -> None:
    assert error_answer(errors.RateLimitedError("too fast", 7)).headers == {"Retry-After": "7"}


@pytest.mark.parametrize("error", [KeyError("secret"), errors.ProtocolError("secret")])
def test_an_unforeseen_error_tells_nothing_of_itself(error: Exception) -> None:
    answer = error_answer(error)
    assert answer.status == 500
    assert answer.body == ErrorBody(error="internal error", error_code="internal_baseten_error")
