"""Waiting for a request, fetching its result, cancelling it."""

import itertools

import httpx
import pytest

from penstock.client import (
    ConflictError,
    NotFoundError,
    RequestFailedError,
    WaitTimeoutError,
    watch,
)
from penstock.client.pacing import looks
from tests.unit.client.api import FAILED, KEY, at, open_api, open_async_api

NOT_READY = httpx.Response(409, json={"error": "request r1 has no result: it is IN_PROGRESS"})
STORED = "https://results.s3.eu-west-1.amazonaws.com/results/r1?X-Amz-Signature=abc"


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "EXPIRED", "CANCELED", "WEBHOOK_FAILED"])
@pytest.mark.usefixtures("pauses")
def test_waiting_ends_with_the_request(end: str) -> None:
    client, api = open_api(at("QUEUED"), at("IN_PROGRESS"), at(end))

    assert client.handle("r1").wait().status == end
    assert len(api.asked) == 3


def test_waiting_ends_when_the_time_is_up() -> None:
    client, _ = open_api(at("QUEUED"))

    with pytest.raises(WaitTimeoutError) as late:
        client.handle("r1").wait(timeout=0)

    assert late.value.waiting == ["r1"]


def test_looks_grow_apart_until_the_time_is_up() -> None:
    moment = itertools.count()  # every look takes a second

    pauses = list(
        looks(8, first_pause_seconds=1, longest_pause_seconds=2, now=lambda: next(moment))
    )

    assert pauses == [0, 1, 1.5, 2, 2, 2, 2, 1]


@pytest.mark.usefixtures("pauses")
def test_watching_tells_each_change_of_each_request_once() -> None:
    client, _ = open_api(
        at("QUEUED"),
        at("QUEUED", request_id="r2"),
        at("QUEUED"),
        at("FAILED", request_id="r2"),
        at("SUCCEEDED"),
    )

    seen = [(s.request_id, s.status) for s in watch([client.handle("r1"), client.handle("r2")])]

    assert seen == [("r1", "QUEUED"), ("r2", "QUEUED"), ("r2", "FAILED"), ("r1", "SUCCEEDED")]


def test_a_small_result_comes_inside_the_answer() -> None:
    client, api = open_api(httpx.Response(200, json={"text": "ink"}))

    assert client.handle("r1").result() == {"text": "ink"}
    assert api.paths == ["/async_request/r1/result"]


def test_a_stored_result_is_fetched_from_s3_without_the_key() -> None:
    client, api = open_api(
        httpx.Response(303, headers={"Location": STORED}),
        httpx.Response(200, content=b"\x89PNG", headers={"Content-Type": "image/png"}),
    )

    assert client.handle("r1").result() == b"\x89PNG"

    to_api, to_s3 = api.asked
    assert to_api.headers["authorization"] == f"Bearer {KEY}"
    assert str(to_s3.url) == STORED
    assert KEY not in str(to_s3.headers)
    assert "authorization" not in to_s3.headers


@pytest.mark.usefixtures("pauses")
def test_a_moment_of_trouble_in_s3_is_not_noticed() -> None:
    client, _ = open_api(
        httpx.Response(303, headers={"Location": STORED}), httpx.Response(503), httpx.Response(200)
    )

    assert client.handle("r1").fetch_result().content == b""


def test_a_result_keeps_its_bytes() -> None:
    body = b'{ "text" : "\xc3\xa4" }'
    client, _ = open_api(
        httpx.Response(
            200, content=body, headers={"Content-Type": "application/json; charset=utf-8"}
        )
    )

    fetched = client.handle("r1").fetch_result()

    assert fetched.content == body
    assert fetched.parsed() == {"text": "ä"}


@pytest.mark.parametrize("refusal", [404, 409])
def test_the_result_of_a_failed_request_is_its_faults(refusal: int) -> None:
    client, _ = open_api(httpx.Response(refusal), httpx.Response(200, json=FAILED))

    with pytest.raises(RequestFailedError, match="FAILED: MODEL_PREDICT_ERROR: no ink") as failed:
        client.handle("r1").result()

    assert [fault.message for fault in failed.value.faults] == ["no ink"]
    assert failed.value.status.status == "FAILED"


def test_a_result_that_is_not_there_yet_is_a_conflict() -> None:
    client, _ = open_api(NOT_READY, at("IN_PROGRESS"))

    with pytest.raises(ConflictError, match="IN_PROGRESS"):
        client.handle("r1").result()


def test_the_result_of_an_unknown_request_is_not_found() -> None:
    client, _ = open_api(httpx.Response(404))

    with pytest.raises(NotFoundError):
        client.handle("r1").result()


@pytest.mark.parametrize(("force", "query"), [(False, b""), (True, b"force=true")])
def test_cancelling_says_whether_it_may_stop_a_running_request(
    *, force: bool, query: bytes
) -> None:
    answer = {"request_id": "r1", "canceled": True, "message": "canceled"}
    client, api = open_api(httpx.Response(200, json=answer))

    assert client.handle("r1").cancel(force=force).canceled
    assert api.asked[0].method == "DELETE"
    assert api.asked[0].url.query == query


def test_the_queue_of_a_target_is_counted() -> None:
    depth = {"model_id": "ocr", "deployment_id": "d1"}
    depth |= {"num_queued_requests": 12, "num_in_progress_requests": 3}  # type: ignore[dict-item]  # JSON
    client, api = open_api(httpx.Response(200, json=depth))

    assert client.queue("ocr", environment="staging").num_queued_requests == 12
    assert api.paths == ["/models/ocr/environments/staging/async_queue_status"]


async def test_the_asynchronous_client_has_the_same_surface(pauses: list[float]) -> None:
    client, api = open_async_api(
        httpx.Response(201, json={"request_id": "r1"}),
        at("IN_PROGRESS"),
        at("SUCCEEDED"),
        httpx.Response(303, headers={"Location": STORED}),
        httpx.Response(200, json={"text": "ink"}),
        httpx.Response(200, json={"request_id": "r1", "canceled": False, "message": "too late"}),
    )

    async with client:
        handle = await client.submit("ocr", {}, priority=1)
        assert (await handle.wait()).status == "SUCCEEDED"
        assert await handle.result() == {"text": "ink"}
        assert not (await handle.cancel()).canceled

    assert pauses[0] == 0
    assert "authorization" not in api.asked[4].headers


async def test_an_asynchronous_wait_ends_when_the_time_is_up() -> None:
    client, _ = open_async_api(at("QUEUED"))

    async with client:
        with pytest.raises(WaitTimeoutError):
            await client.handle("r1").wait(timeout=0)


async def test_an_asynchronous_failure_is_its_faults() -> None:
    client, _ = open_async_api(httpx.Response(409), httpx.Response(200, json=FAILED))

    async with client:
        with pytest.raises(RequestFailedError):
            await client.handle("r1").result()
