"""Asking for many requests at once: by their ids, and by their deployment."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from penstock.client import AsyncClient, BadRequestError, Client
from penstock.contracts.http.native import MOST_ASKED, MOST_LISTED
from tests.unit.client.api import KEY, URL, open_api, open_async_api, status_body


def page(*request_ids: str, following: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"requests": [status_body("QUEUED", request_id=i) for i in request_ids]}
    return httpx.Response(200, json=body | ({"next": following} if following else {}))


class StatusApi:
    """Knows every id that begins with `r`."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/async_requests/status"
        ids: list[str] = json.loads(request.content)["request_ids"]
        self.asked.append(ids)
        known = [request_id for request_id in ids if request_id.startswith("r")]
        body = {
            "requests": [status_body("QUEUED", request_id=request_id) for request_id in known],
            "missing": [request_id for request_id in ids if request_id not in known],
        }
        return httpx.Response(200, json=body)


def test_any_number_of_statuses_is_asked_for_a_hundred_at_a_time() -> None:
    api, ids = StatusApi(), [f"r{number}" for number in range(2 * MOST_ASKED + 1)]

    found = Client(URL, KEY, transport=httpx.MockTransport(api)).statuses(ids)

    assert [len(asked) for asked in api.asked] == [MOST_ASKED, MOST_ASKED, 1]
    assert list(found) == ids
    assert found["r7"].request_id == "r7"


def test_ids_of_no_request_are_left_out() -> None:
    client = Client(URL, KEY, transport=httpx.MockTransport(StatusApi()))

    assert list(client.statuses(["r1", "nobody"])) == ["r1"]


def test_no_id_is_no_question() -> None:
    api = StatusApi()

    assert Client(URL, KEY, transport=httpx.MockTransport(api)).statuses([]) == {}
    assert api.asked == []


async def test_the_asynchronous_client_asks_the_same() -> None:
    api, ids = StatusApi(), [f"r{number}" for number in range(MOST_ASKED + 1)]

    async with AsyncClient(URL, KEY, transport=httpx.MockTransport(api)) as client:
        assert list(await client.statuses(ids)) == ids

    assert len(api.asked) == 2


def test_a_list_goes_on_to_its_last_page() -> None:
    client, api = open_api(page("r3", "r2", following="p2"), page(following="p3"), page("r1"))

    listed = client.list_requests("ocr")

    assert [status.request_id for status in listed] == ["r3", "r2", "r1"]
    assert api.paths == ["/models/ocr/production/async_requests"] * 3
    assert [request.url.params.get("next") for request in api.asked] == [None, "p2", "p3"]


def test_only_the_pages_that_are_looked_at_are_asked_for() -> None:
    client, api = open_api(page("r2", "r1", following="p2"))

    assert next(client.list_requests("ocr")).request_id == "r2"
    assert len(api.asked) == 1


def test_every_filter_is_on_every_page() -> None:
    client, api = open_api(page("r1", following="p2"), page())
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    until = datetime(2026, 1, 3, tzinfo=UTC)

    list(
        client.list_requests(
            "ocr",
            environment="staging",
            status="FAILED",
            created_after=since,
            created_before=until,
        )
    )

    for request in api.asked:
        asked = dict(request.url.params)
        asked.pop("next", None)
        assert asked == {
            "status": "FAILED",
            "created_after": "2026-01-02T03:04:05+01:00",
            "created_before": "2026-01-03T00:00:00+00:00",
            "limit": str(MOST_LISTED),
        }
        assert request.url.path == "/models/ocr/environments/staging/async_requests"


def test_a_filter_that_is_wrong_is_refused_in_the_words_of_the_api() -> None:
    client, _ = open_api(httpx.Response(400, json={"error": "status: must be one of QUEUED, …"}))

    with pytest.raises(BadRequestError, match="status: must be one of"):
        list(client.list_requests("ocr", status="LOST"))


async def test_the_asynchronous_client_lists_the_same() -> None:
    client, api = open_async_api(page("r2", following="p2"), page("r1"))

    async with client:
        listed = [
            status.request_id async for status in client.list_requests("ocr", status="QUEUED")
        ]

    assert listed == ["r2", "r1"]
    assert [request.url.params["status"] for request in api.asked] == ["QUEUED", "QUEUED"]
