"""Errors in DataCrunch's words."""

import pytest

from penstock.contracts import errors
from penstock.contracts.request import RequestState
from penstock.dialects.datacrunch.errors import error_answer


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (errors.InvalidSubmissionError("a", "b"), 400, "a: b"),
        (errors.CallerError("else"), 400, "else"),
        (errors.UnauthorizedError("who?"), 401, "who?"),
        (errors.UnknownModelError("no model"), 404, "no model"),
        (errors.UnknownRequestError("r1"), 404, "request r1 does not exist"),
        (errors.ResultNotReadyError("r1", RequestState.QUEUED), 404, "result not found"),
        (
            errors.PayloadTooLargeError(2, 1),
            413,
            "payload size of 2 bytes exceeds maximum size of 1 bytes",
        ),
        (errors.RateLimitedError("too fast", 7), 429, "too fast"),
        (KeyError("a detail"), 500, "internal error; try again"),
        (
            errors.UnavailableError("find", "a detail"),
            503,
            "temporarily unavailable; send the same call again",
        ),
    ],
)
def test_every_error_has_a_status_and_a_text(error: Exception, status: int, text: str) -> None:
    answer = error_answer(error)
    assert (answer.status, answer.body.model_dump()) == (status, {"error": text})


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(errors.RateLimitedError("too fast", 7), "7"), (errors.UnavailableError("find", "x"), "1")],
)
def test_who_may_come_again_is_told_when(error: Exception, seconds: str) -> None:
    assert error_answer(error).headers == {"Retry-After": seconds}
