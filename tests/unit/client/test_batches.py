"""Submitting many requests: what is sent in which call, and what the caller hears."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from penstock.client import (
    ApiUnreachableError,
    AsyncClient,
    Client,
    NotFoundError,
    RateLimitedError,
    may_be_sent_again,
)
from penstock.client.calls.batches import MOST_BYTES
from penstock.contracts.http.native import MOST_IN_BATCH
from tests.unit.client.api import KEY, URL, open_api

Item = Mapping[str, Any]
Refuse = Callable[[Item, int], str | None]


@dataclass
class BatchApi:
    """Accepts each item as the request `r-<input>`, or refuses it with an error code."""

    refuse: Refuse = lambda _item, _call: None
    """Which item, in the call of which number."""

    troubles: list[httpx.Response | Exception | None] = field(default_factory=list)
    """What meets each call, in their order."""

    calls: list[list[Item]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        items = json.loads(request.content)["requests"]
        self.paths.append(request.url.path)
        self.calls.append(items)
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception):
            raise trouble
        return trouble or httpx.Response(200, json=self._answer(items))

    def _answer(self, items: list[Item]) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            if code := self.refuse(item, len(self.calls)):
                entries.append({"index": index, "error": f"no: {code}", "error_code": code})
            else:
                entries.append({"index": index, "request_id": f"r-{item['model_input']}"})
        accepted = sum("request_id" in entry for entry in entries)
        # The order of an answer is not promised.
        return {"accepted": accepted, "refused": len(entries) - accepted, "requests": entries[::-1]}

    def client(self, **options: Any) -> Client:
        return Client(URL, KEY, transport=httpx.MockTransport(self), **options)

    @property
    def sizes(self) -> list[int]:
        """How many items each call had."""
        return [len(items) for items in self.calls]


def inputs(count: int) -> list[Item]:
    return [{"model_input": number} for number in range(count)]


@pytest.mark.usefixtures("pauses")
def test_every_item_has_its_entry_in_the_order_of_the_batch() -> None:
    entries = BatchApi().client().submit_batch("ocr", inputs(3))

    assert [(e.index, e.request_id) for e in entries] == [(0, "r-0"), (1, "r-1"), (2, "r-2")]


def test_a_batch_of_nothing_asks_nothing() -> None:
    api = BatchApi()

    assert api.client().submit_batch("ocr", []) == []
    assert api.calls == []


@pytest.mark.usefixtures("pauses")
def test_a_batch_goes_to_its_target() -> None:
    api = BatchApi()

    api.client().submit_batch("ocr", inputs(1), deployment="v2")

    assert api.paths == ["/models/ocr/deployment/v2/async_predict_batch"]


def test_a_large_batch_goes_in_several_calls(pauses: list[float]) -> None:
    api = BatchApi()

    entries = api.client().submit_batch("ocr", inputs(2 * MOST_IN_BATCH + 1))

    assert api.sizes == [MOST_IN_BATCH, MOST_IN_BATCH, 1]
    assert [entry.request_id for entry in entries] == [
        f"r-{number}" for number in range(2 * MOST_IN_BATCH + 1)
    ]
    assert set(pauses) == {0}


@pytest.mark.usefixtures("pauses")
def test_no_call_is_longer_than_the_api_takes() -> None:
    api = BatchApi()
    items = [{"model_input": "x" * (MOST_BYTES // 3)} for _ in range(5)]

    api.client().submit_batch("ocr", items)

    assert api.sizes == [2, 2, 1]
    assert all(len(json.dumps(items).encode()) < MOST_BYTES for items in api.calls)


@pytest.mark.usefixtures("pauses")
def test_an_item_too_long_for_any_call_is_refused_alone() -> None:
    api = BatchApi(troubles=[None, httpx.Response(413), None])
    items: list[Item] = [{"model_input": each} for each in (0, "x" * MOST_BYTES, 2)]

    first, long, last = api.client().submit_batch("ocr", items)

    assert (first.request_id, last.request_id) == ("r-0", "r-2")
    assert long.request_id is None
    assert long.error is not None
    assert "413" in long.error


@pytest.mark.parametrize("code", ["rate_limited", "model_unavailable"])
def test_what_is_refused_for_the_moment_is_sent_again(code: str, pauses: list[float]) -> None:
    api = BatchApi(lambda item, call: code if item["model_input"] >= call else None)

    entries = api.client().submit_batch("ocr", inputs(4))

    assert [entry.request_id for entry in entries] == ["r-0", "r-1", "r-2", "r-3"]
    assert api.sizes == [4, 3, 2, 1]
    assert pauses == [0, 1, 1, 1]


@pytest.mark.usefixtures("pauses")
def test_what_is_sent_again_carries_the_same_idempotency_key() -> None:
    api = BatchApi(lambda _item, call: "rate_limited" if call == 1 else None)
    items = [*inputs(2), {"model_input": 2, "idempotency_key": "mine"}]

    api.client().submit_batch("ocr", items)

    first, second = ([item["idempotency_key"] for item in call] for call in api.calls)
    assert first == second
    assert len(set(first)) == 3
    assert first[2] == "mine"


@pytest.mark.usefixtures("pauses")
def test_what_is_wrong_is_not_sent_again() -> None:
    api = BatchApi(lambda item, _: "client_error" if item["model_input"] == 1 else None)

    entries = api.client().submit_batch("ocr", inputs(3))

    assert api.sizes == [3]
    assert [entry.error_code for entry in entries] == [None, "client_error", None]
    assert entries[1].error == "no: client_error"
    assert not may_be_sent_again(entries[1])


@pytest.mark.usefixtures("pauses")
def test_when_nothing_more_is_accepted_the_rest_stays_refused() -> None:
    api = BatchApi(lambda item, _: "rate_limited" if item["model_input"] > 0 else None)

    entries = api.client().submit_batch("ocr", inputs(3))

    assert entries[0].request_id == "r-0"
    assert all(map(may_be_sent_again, entries[1:]))
    assert api.sizes == [3, *[2] * 5]


@pytest.mark.usefixtures("pauses")
def test_a_batch_of_which_nothing_was_accepted_raises_what_happened() -> None:
    with pytest.raises(NotFoundError):
        BatchApi(troubles=[httpx.Response(404)]).client().submit_batch("nobody", inputs(2))


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (httpx.ConnectError("connection refused"), None),
        (
            httpx.Response(429, json={"error": "enough", "error_code": "rate_limited"}),
            "rate_limited",
        ),
    ],
)
def test_what_was_accepted_is_told_even_when_a_later_call_fails(
    trouble: httpx.Response | Exception, code: str | None
) -> None:
    api = BatchApi(
        lambda item, _: "client_error" if item["model_input"] == 1 else None,
        troubles=[None, trouble],
    )

    entries = api.client(max_attempts=1).submit_batch("ocr", inputs(2 * MOST_IN_BATCH + 1))

    assert entries[0].request_id == "r-0"
    assert entries[1].error_code == "client_error"
    left = entries[MOST_IN_BATCH:]
    assert len(left) == MOST_IN_BATCH + 1
    assert all(entry.error and entry.error_code == code for entry in left)
    assert api.sizes == [MOST_IN_BATCH, MOST_IN_BATCH]


@pytest.mark.usefixtures("pauses")
async def test_the_asynchronous_client_submits_batches_by_the_same_rules() -> None:
    api = BatchApi(
        lambda item, call: "rate_limited" if item["model_input"] == 1 and call == 1 else None
    )

    async with AsyncClient(URL, KEY, transport=httpx.MockTransport(api)) as client:
        entries = await client.submit_batch("ocr", inputs(2))

    assert [entry.request_id for entry in entries] == ["r-0", "r-1"]
    assert api.sizes == [2, 1]


@pytest.mark.usefixtures("pauses")
async def test_the_asynchronous_client_tells_what_was_accepted_as_well() -> None:
    api = BatchApi(troubles=[None, httpx.ConnectError("refused")])

    transport = httpx.MockTransport(api)
    async with AsyncClient(URL, KEY, transport=transport, max_attempts=1) as client:
        entries = await client.submit_batch("ocr", inputs(MOST_IN_BATCH + 1))

    assert entries[0].request_id == "r-0"
    assert entries[-1].request_id is None


def test_lines_in_s3_are_submitted_by_their_place() -> None:
    answer = {"accepted": 1, "refused": 0, "requests": [{"index": 4, "request_id": "r1"}]}
    client, api = open_api(httpx.Response(200, json=answer))

    (entry,) = client.submit_batch_in_s3("ocr", "s3://pages/batch.jsonl", environment="staging")

    assert (entry.index, entry.request_id) == (4, "r1")
    assert api.paths == ["/models/ocr/environments/staging/async_predict_batch"]
    assert json.loads(api.asked[0].content) == {"input_location": "s3://pages/batch.jsonl"}


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        (httpx.Response(429), RateLimitedError),
        (httpx.ReadTimeout("slow"), ApiUnreachableError),
    ],
)
def test_lines_without_keys_are_never_submitted_twice(
    trouble: httpx.Response | Exception, raised: type[Exception]
) -> None:
    client, api = open_api(trouble)

    with pytest.raises(raised):
        client.submit_batch_in_s3("ocr", "s3://pages/batch.jsonl")

    assert len(api.asked) == 1
