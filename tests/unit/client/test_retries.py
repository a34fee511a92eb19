"""Which failures are repeated, how long is paused, and what is raised in the end."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from penstock.client import (
    ApiUnreachableError,
    BadRequestError,
    ConflictError,
    NotAuthorizedError,
    NotFoundError,
    PenstockApiError,
    RateLimitedError,
    ServiceError,
    TooLargeError,
)
from tests.unit.client.api import at, open_api, open_async_api


@pytest.mark.parametrize(
    ("status_code", "error_class"),
    [
        (400, BadRequestError),
        (401, NotAuthorizedError),
        (402, PenstockApiError),
        (403, NotAuthorizedError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, TooLargeError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServiceError),
        (502, ServiceError),
        (503, ServiceError),
        (504, ServiceError),
    ],
)
@pytest.mark.usefixtures("pauses")
def test_a_refusal_has_its_class_and_its_words(
    status_code: int, error_class: type[PenstockApiError]
) -> None:
    said = {"error": "priority: at most 2", "error_code": "client_error"}
    client, _ = open_api(httpx.Response(status_code, json=said))

    with pytest.raises(PenstockApiError) as refused:
        client.handle("r1").status()

    assert type(refused.value) is error_class
    assert refused.value.status_code == status_code
    assert refused.value.error == "priority: at most 2"
    assert refused.value.error_code == "client_error"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"message": "Forbidden"}', "Forbidden"),
        (b'{"Message": "User is not authorized"}', "User is not authorized"),
        (b"<html>a proxy</html>", "Forbidden"),
        (b"[]", "Forbidden"),
    ],
)
def test_a_refusal_by_the_gateway_or_a_proxy_is_readable(content: bytes, error: str) -> None:
    client, _ = open_api(httpx.Response(403, content=content))

    with pytest.raises(NotAuthorizedError) as refused:
        client.handle("r1").status()

    assert refused.value.error == error


def test_an_answer_of_something_else_is_no_status() -> None:
    client, _ = open_api(httpx.Response(200, text="<html>a login page</html>"))

    with pytest.raises(PenstockApiError, match="address of a Penstock API"):
        client.handle("r1").status()


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.RemoteProtocolError("closed")]
    + [httpx.Response(code) for code in (429, 502, 503, 504)],
)
def test_a_passing_trouble_is_not_noticed(
    trouble: httpx.Response | Exception, pauses: list[float]
) -> None:
    client, api = open_api(trouble, trouble, at("QUEUED"))

    assert client.handle("r1").status().status == "QUEUED"
    assert len(api.asked) == 3
    assert len(pauses) == 2


@pytest.mark.parametrize("status_code", [400, 401, 404, 409, 413, 500])
def test_a_refusal_that_would_be_repeated_is_raised_at_once(
    status_code: int, pauses: list[float]
) -> None:
    client, api = open_api(httpx.Response(status_code))

    with pytest.raises(PenstockApiError):
        client.handle("r1").status()

    assert len(api.asked) == 1
    assert pauses == []


@pytest.mark.usefixtures("pauses")
def test_the_number_of_attempts_is_the_callers() -> None:
    client, api = open_api(httpx.Response(503), max_attempts=2)

    with pytest.raises(ServiceError):
        client.handle("r1").status()

    assert len(api.asked) == 2


@pytest.mark.usefixtures("pauses")
def test_an_api_that_never_answers_is_unreachable() -> None:
    client, _ = open_api(httpx.ConnectError("connection refused"))

    with pytest.raises(ApiUnreachableError, match=r"penstock\.example\.com.*connection refused"):
        client.handle("r1").status()


def test_the_pause_is_the_one_the_api_asked_for(pauses: list[float]) -> None:
    client, _ = open_api(httpx.Response(429, headers={"Retry-After": "17"}), at("QUEUED"))

    client.handle("r1").status()

    assert pauses == [17.0]


def test_the_pause_may_be_asked_for_as_a_date(pauses: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    client, _ = open_api(httpx.Response(503, headers={"Retry-After": soon}), at("QUEUED"))

    client.handle("r1").status()

    assert pauses == [pytest.approx(40, abs=2)]


def test_a_pause_that_is_too_long_is_left_to_the_caller(pauses: list[float]) -> None:
    client, _ = open_api(httpx.Response(429, headers={"Retry-After": "3600"}))

    with pytest.raises(RateLimitedError) as refused:
        client.handle("r1").status()

    assert refused.value.retry_after_seconds == 3600
    assert pauses == []


async def test_the_asynchronous_client_repeats_by_the_same_rules(pauses: list[float]) -> None:
    client, api = open_async_api(
        httpx.ConnectError("refused"),
        httpx.Response(429, headers={"Retry-After": "17"}),
        at("QUEUED"),
    )

    async with client:
        assert (await client.handle("r1").status()).status == "QUEUED"
    assert len(api.asked) == 3
    assert pauses[-1] == 17.0
