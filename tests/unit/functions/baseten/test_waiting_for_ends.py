"""A question for a status that waits for the end."""

import pytest

from penstock.contracts.request import AsyncRequest
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.containers import Reply
from tests.unit.functions.world import World


def ask(api: Api, request: AsyncRequest, wait: str) -> Reply:
    path = f"/models/ocr/async_request/{request.request_id}"
    return api.call("GET", path, query={"wait": wait})


def test_a_request_that_has_ended_is_answered_at_once(api: Api, world: World) -> None:
    assert ask(api, world.succeeded(b"1"), "20").json["status"] == "SUCCEEDED"
    assert not api.waited


def test_without_a_wait_every_request_is_answered_at_once(api: Api, world: World) -> None:
    row = world.accepted()
    assert ask(api, row, "0").json["status"] == "QUEUED"
    assert api.call("GET", f"/async_request/{row.request_id}").json["status"] == "QUEUED"
    assert not api.waited


def test_the_answer_comes_with_the_end(api: Api, world: World) -> None:
    row = world.accepted()
    api.while_waiting[3] = lambda: world.requests.cancel(row.request_id)
    assert ask(api, row, "20").json["status"] == "CANCELED"
    assert len(api.waited) == 3


def test_the_answer_comes_when_the_time_is_up(api: Api, world: World) -> None:
    assert ask(api, world.running(), "2").json["status"] == "IN_PROGRESS"
    assert sum(api.waited) == pytest.approx(2)


def test_a_request_is_waited_for_under_its_callers_id(api: Api, world: World) -> None:
    row = world.accepted()
    known = row.model_copy(update={"request_id": "f" * 32, "caller_id": "inference-7"})
    world.requests.accept(known)
    api.while_waiting[1] = lambda: world.requests.cancel(known.request_id)
    answer = api.call("GET", "/async_request/inference-7", query={"wait": "20"})
    assert answer.json["status"] == "CANCELED"


@pytest.mark.parametrize("wait", ["21", "-1", "1.5", "", "soon"])
def test_an_unclear_wait_is_refused(api: Api, world: World, wait: str) -> None:
    reply = ask(api, world.accepted(), wait)
    assert (reply.status, reply.json["error"]) == (400, "wait: must be a whole number from 0 to 20")
