"""Listing requests, and asking for many and across dialects."""

import json
from typing import Any

import pytest

from penstock.contracts.http.native import MOST_ASKED
from penstock.contracts.outcome import Failed, Fault, FaultCode
from penstock.contracts.request import AsyncRequest, Tenant, WebhookStatus
from penstock.contracts.request_id import as_uuid
from penstock.contracts.submission import Submission
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import ACME, World

LIST = "/models/ocr/production/async_requests"
STATUSES = "/async_requests/status"
FAULT = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")


def listed(api: Api, path: str = LIST, **query: str) -> tuple[list[str], str | None]:
    reply = api.call("GET", path, query=query or None)
    assert reply.status == 200, reply.json
    return [one["request_id"] for one in reply.json["requests"]], reply.json.get("next")


def many(world: World, number: int) -> list[str]:
    """Accept requests a second apart; return their ids, the newest first."""
    ids: list[str] = []
    for _ in range(number):
        world.clock.advance(1)
        ids.append(world.accepted().request_id)
    return ids[::-1]


def ask(api: Api, *ids: str, **event: Any) -> Any:
    return api.call("POST", STATUSES, json.dumps({"request_ids": ids}), **event).json


def test_the_newest_requests_come_first(api: Api, world: World) -> None:
    ids = many(world, 3)
    assert listed(api) == (ids, None)


def test_a_list_comes_in_pages_in_which_each_request_stands_once(api: Api, world: World) -> None:
    ids = many(world, 7)
    found, place = listed(api, limit="3")
    while place:
        more, place = listed(api, limit="3", next=place)
        found += more
    assert found == ids


def test_a_list_holds_only_the_callers_requests_at_that_deployment(api: Api, world: World) -> None:
    ids = many(world, 1)
    foreign = Submission(tenant=Tenant("other"), payload=b"1")
    world.requests.accept(foreign.accepted("ocr", "ocr-1", world.clock()))
    elsewhere = Submission(tenant=ACME, payload=b"1").accepted("ocr", "ocr-2", world.clock())
    world.requests.accept(elsewhere)

    assert listed(api)[0] == ids
    assert listed(api, "/models/ocr/deployment/ocr-2/async_requests")[0] == [elsewhere.request_id]
    assert listed(api, "/chains/pages/production/async_requests")[0] == ids


def test_a_list_is_filtered_by_the_status_that_is_shown(api: Api, world: World) -> None:
    waiting, running = world.accepted(), world.running()
    retried = world.requests.release(world.running(), FAULT, counts_as_attempt=True)
    failed = world.requests.finish(world.running(), Failed(fault=FAULT))
    unheard = world.succeeded(b"1", webhook="https://hooks.example.com")
    world.requests.record_webhook(unheard, WebhookStatus.FAILED)

    expected = {
        "QUEUED": {waiting.request_id},
        "IN_PROGRESS": {running.request_id, retried.request_id},
        "FAILED": {failed.request_id},
        "WEBHOOK_FAILED": {unheard.request_id},
        "SUCCEEDED": set(),
    }
    for status, ids in expected.items():
        assert set(listed(api, status=status)[0]) == ids


def test_a_list_is_filtered_by_the_time_of_acceptance(api: Api, world: World) -> None:
    newest, middle, oldest = many(world, 3)
    moment = world.row(middle).created_at.isoformat()
    assert listed(api, created_after=moment) == ([newest, middle], None)
    assert listed(api, created_before=moment) == ([oldest], None)
    assert listed(api, created_after=moment, created_before=moment) == ([], None)


def test_a_filter_that_few_pass_ends_a_call_early_but_not_the_list(api: Api, world: World) -> None:
    first = world.requests.finish(world.running(), Failed(fault=FAULT)).request_id
    many(world, 35)

    found, place, calls = *listed(api, status="FAILED", limit="2"), 1
    while place:
        more, place = listed(api, status="FAILED", limit="2", next=place)
        found, calls = found + more, calls + 1

    assert found == [first]
    assert calls == 2


def test_times_before_a_list_are_not_looked_through(api: Api, world: World) -> None:
    many(world, 100)
    moment = world.clock().isoformat()
    assert listed(api, created_after=moment, status="FAILED") == ([], None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "9" * 5_000}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"status": "DONE"}, "status"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_before": "2026-01-02T03:04:05"}, "created_before"),
        ({"next": "nowhere"}, "next"),
    ],
    ids=str,
)
def test_an_unclear_list_is_refused_by_name(api: Api, query: dict[str, str], field: str) -> None:
    reply = api.call("GET", LIST, query=query)
    assert (reply.status, reply.json["error_code"]) == (400, "client_error")
    assert reply.json["error"].startswith(field)


def test_a_list_of_an_unknown_model_is_404(api: Api) -> None:
    assert api.call("GET", "/models/nope/production/async_requests").status == 404


def test_many_are_asked_for_at_once_each_answered_once(api: Api, world: World) -> None:
    first, second = world.accepted(), world.running()
    answer = ask(api, second.request_id, "unknown", first.request_id, second.request_id)
    shown = [(one["request_id"], one["status"]) for one in answer["requests"]]
    assert shown == [(second.request_id, "IN_PROGRESS"), (first.request_id, "QUEUED")]
    assert answer["missing"] == ["unknown"]


def test_many_are_asked_for_by_ids_with_hyphens_too(api: Api, world: World) -> None:
    row, unknown = world.accepted(), "00000000-0000-0000-0000-000000000000"
    answer = ask(api, as_uuid(row.request_id), row.request_id, unknown)
    assert [one["request_id"] for one in answer["requests"]] == [row.request_id]
    assert answer["missing"] == [unknown]


def test_another_tenants_requests_are_missing(api: Api, world: World) -> None:
    mine = world.accepted().request_id
    assert ask(api, mine, tenant="other") == {"requests": [], "missing": [mine]}


@pytest.mark.parametrize("ids", [[], ["x"] * (MOST_ASKED + 1), [""], ["x" * 256], [1]])
def test_too_many_too_few_or_impossible_ids_are_refused(api: Api, ids: list[Any]) -> None:
    assert api.call("POST", STATUSES, json.dumps({"request_ids": ids})).status == 400


def known_to_its_caller_as(world: World, caller_id: str, tenant: Tenant = ACME) -> AsyncRequest:
    submission = Submission(tenant=tenant, payload=b"1", caller_id=caller_id)
    row = submission.accepted("ocr", "ocr-1", world.clock())
    world.requests.accept(row)
    return row


def test_a_request_of_another_dialect_is_found_by_the_id_its_caller_gave_it(
    api: Api, world: World
) -> None:
    row = known_to_its_caller_as(world, "inference-7")
    for path in ("/async_request/inference-7", "/models/ocr/async_request/inference-7"):
        assert api.call("GET", path).json["request_id"] == row.request_id
    assert api.call("GET", "/models/echo/async_request/inference-7").status == 404
    assert api.call("GET", "/async_request/inference-7", tenant="other").status == 404
    assert api.call("GET", "/async_request/inference-7/result").status == 409
    assert api.call("DELETE", "/async_request/inference-7").json["canceled"] is True


def test_a_request_is_found_by_its_id_with_the_hyphens_of_a_uuid(api: Api, world: World) -> None:
    row = world.accepted()
    shown = api.call("GET", f"/async_request/{as_uuid(row.request_id)}").json
    assert shown["request_id"] == row.request_id


@pytest.mark.parametrize("name", ["after", "cursor", "since", "Limit"])
def test_a_parameter_that_nobody_reads_is_refused_by_name(api: Api, name: str) -> None:
    reply = api.call("GET", LIST, query={name: "x"})
    assert reply.status == 400
    assert f"{name}: there is no such parameter" in reply.json["error"]
    assert "known are limit, next, status, created_after, created_before" in reply.json["error"]


def test_our_id_wins_over_the_id_of_a_caller(api: Api, world: World) -> None:
    first = world.accepted()
    known_to_its_caller_as(world, first.request_id)
    shown = api.call("GET", f"/async_request/{first.request_id}").json
    assert shown["request_id"] == first.request_id


def test_another_tenants_id_does_not_hide_the_callers_own(api: Api, world: World) -> None:
    foreign = known_to_its_caller_as(world, "theirs", Tenant("other"))
    mine = known_to_its_caller_as(world, foreign.request_id)
    shown = api.call("GET", f"/async_request/{foreign.request_id}").json
    assert shown["request_id"] == mine.request_id


def test_an_id_that_no_table_takes_is_of_no_request(api: Api) -> None:
    assert api.call("GET", f"/async_request/{'x' * 3_000}").status == 404
