"""How a caller waits: at the API where that waits, else with pauses; for one and for thousands."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
import pytest

from penstock.client import Client, NotFoundError, WaitTimeoutError, watch_many
from penstock.client.pacing import wait_limit, waits
from penstock.contracts.http.native import LONGEST_WAIT_SECONDS, MOST_ASKED
from tests.unit.client.api import KEY, URL, at, open_api, open_async_api, status_body


@dataclass
class Clock:
    """Time that moves only when somebody spends it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def steps(
    timeout: float, *, answered_after: Callable[[int], float], longest_wait: int = 20
) -> list[tuple[float, int]]:
    """Wait in vain for an API that answers a question to wait so long after such a time."""
    clock, taken = Clock(), []
    for pause, wait in waits(timeout, longest_wait_seconds=longest_wait, now=clock):
        taken.append((pause, wait))
        clock.seconds += pause + answered_after(wait)
    return taken


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b'"\xff"'], ids=len)
def test_a_result_that_only_says_it_is_json_is_given_as_bytes(content: bytes) -> None:
    said = {"Content-Type": "application/json"}
    client, _ = open_api(httpx.Response(200, content=content, headers=said))

    assert client.handle("r1").result() == content


def test_an_api_that_waits_is_asked_again_at_once() -> None:
    assert steps(60, answered_after=lambda wait: wait) == [(0, 20), (0, 20), (0, 20)]


def test_no_api_is_asked_to_wait_beyond_the_callers_time() -> None:
    assert steps(30, answered_after=lambda wait: wait + 0.5) == [(0, 20), (0, 9)]


def test_an_api_that_does_not_wait_is_asked_with_growing_pauses() -> None:
    taken = steps(20, answered_after=lambda _: 0.1)

    pauses = [pause for pause, _ in taken]
    assert pauses[:4] == pytest.approx([0, 0.2, 0.3, 0.45])
    assert max(pauses) == 5
    assert len(taken) < 15


def test_the_last_look_is_taken_when_the_time_is_up() -> None:
    clock = Clock()
    for pause, _ in waits(2, longest_wait_seconds=0, now=clock):
        clock.seconds += pause

    assert clock.seconds == pytest.approx(2)


def test_without_time_there_is_one_look() -> None:
    assert steps(0, answered_after=lambda wait: wait) == [(0, 0)]


@pytest.mark.parametrize(("timeout", "limit"), [(60, 20), (30, 20), (12.5, 7), (5, 0), (1, 0)])
def test_an_answer_comes_before_the_connection_gives_up(timeout: float, limit: int) -> None:
    assert limit <= LONGEST_WAIT_SECONDS
    assert wait_limit(timeout) == limit


@pytest.mark.usefixtures("pauses")
def test_waiting_for_one_request_asks_the_api_to_wait() -> None:
    client, api = open_api(at("QUEUED"), at("SUCCEEDED"))

    assert client.handle("r1").wait(timeout=100).status == "SUCCEEDED"
    assert [dict(request.url.params) for request in api.asked] == [{"wait": "20"}] * 2


@pytest.mark.usefixtures("pauses")
async def test_the_asynchronous_client_asks_the_api_to_wait_as_well() -> None:
    client, api = open_async_api(at("SUCCEEDED"), timeout=12)

    async with client:
        await client.handle("r1").wait(timeout=100)

    assert dict(api.asked[0].url.params) == {"wait": "7"}


def test_a_look_does_not_wait() -> None:
    client, api = open_api(at("QUEUED"))

    client.handle("r1").status()

    assert api.asked[0].url.query == b""


class MovingApi:
    """Moves each request by one of its statuses at every question for it."""

    def __init__(self, lives: Mapping[str, str]) -> None:
        self.lives = {request_id: life.split() for request_id, life in lives.items()}
        self.asked: list[list[str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        ids: list[str] = json.loads(request.content)["request_ids"]
        self.asked.append(ids)
        found = [self._look(request_id) for request_id in ids if request_id in self.lives]
        missing = [request_id for request_id in ids if request_id not in self.lives]
        return httpx.Response(200, json={"requests": found, "missing": missing})

    def _look(self, request_id: str) -> dict[str, object]:
        life = self.lives[request_id]
        return status_body(life.pop(0) if len(life) > 1 else life[0], request_id=request_id)

    @property
    def client(self) -> Client:
        return Client(URL, KEY, transport=httpx.MockTransport(self))


@pytest.mark.usefixtures("pauses")
def test_watching_many_tells_each_change_once_until_all_have_ended() -> None:
    api = MovingApi({"r1": "QUEUED QUEUED SUCCEEDED", "r2": "QUEUED IN_PROGRESS FAILED"})

    seen = [(s.request_id, s.status) for s in watch_many(api.client, ["r1", "r2"])]

    assert seen == [
        *[("r1", "QUEUED"), ("r2", "QUEUED"), ("r2", "IN_PROGRESS")],
        *[("r1", "SUCCEEDED"), ("r2", "FAILED")],
    ]
    assert len(api.asked) == 3


@pytest.mark.usefixtures("pauses")
def test_what_has_ended_is_not_asked_for_again() -> None:
    api = MovingApi({"r1": "SUCCEEDED", "r2": "QUEUED CANCELED"})

    list(watch_many(api.client, ["r1", "r2"]))

    assert api.asked == [["r1", "r2"], ["r2"]]


def test_many_that_have_ended_are_told_without_a_pause(pauses: list[float]) -> None:
    api = MovingApi({f"r{number}": "SUCCEEDED" for number in range(3_000)})

    assert len(list(watch_many(api.client, api.lives))) == 3_000
    assert len(api.asked) == 3_000 / MOST_ASKED
    assert pauses == [0]


@pytest.mark.usefixtures("pauses")
def test_of_very_many_only_the_first_that_go_on_are_asked_for() -> None:
    lives = {f"r{number}": "SUCCEEDED" for number in range(500)}
    lives |= {f"r{number}": "QUEUED SUCCEEDED" for number in range(500, 3_000)}
    api = MovingApi(lives)

    changes = watch_many(api.client, lives)
    for _ in range(1_500):
        next(changes)

    assert len(api.asked) == 15
    assert len(list(changes)) == 2 * 2_500 - 1_000


def test_watching_many_in_vain_names_those_that_go_on() -> None:
    api = MovingApi({"r1": "SUCCEEDED", "r2": "QUEUED"})

    with pytest.raises(WaitTimeoutError) as late:
        list(watch_many(api.client, ["r1", "r2"], timeout=0))

    assert late.value.waiting == ["r2"]


@pytest.mark.usefixtures("pauses")
def test_requests_that_do_not_exist_are_named_when_the_others_have_ended() -> None:
    api = MovingApi({"r1": "QUEUED SUCCEEDED"})

    with pytest.raises(NotFoundError, match=r"do not exist: nobody"):
        list(watch_many(api.client, ["nobody", "r1"]))

    assert api.asked == [["nobody", "r1"], ["r1"]]


def test_nothing_to_watch_asks_nothing() -> None:
    api = MovingApi({})

    assert list(watch_many(api.client, [])) == []
    assert api.asked == []
