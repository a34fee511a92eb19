"""Many requests in one call."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from functions.intake.admission import Admission
from penstock.adapters.in_memory import CrashError, InMemoryCatalog, InMemoryRateLimit
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.native import MOST_IN_BATCH, MOST_LINES
from penstock.contracts.origin import Location
from penstock.contracts.request import RequestState
from tests.unit.functions.baseten.api import MAX_PAYLOAD_BYTES, Api
from tests.unit.functions.world import ACME, World

BATCH = "/models/ocr/production/async_predict_batch"
THROTTLED = UnavailableError("AWS", "throttled")


def submit(api: Api, *items: Any, path: str = BATCH, **event: Any) -> Any:
    """Return the answer to a batch, and check that it adds up."""
    reply = api.call("POST", path, json.dumps({"requests": items}), **event)
    assert reply.status == 200, reply.json
    return checked(reply.json)


def checked(answer: Any) -> Any:
    accepted = [entry for entry in answer["requests"] if "request_id" in entry]
    refused = [entry for entry in answer["requests"] if "error" in entry]
    assert (len(accepted), len(refused)) == (answer["accepted"], answer["refused"])
    assert answer["accepted"] + answer["refused"] == len(answer["requests"])
    return answer


def an_item(value: Any = 1, **rest: Any) -> dict[str, Any]:
    return {"model_input": value, **rest}


def codes(answer: Any) -> list[str]:
    return [entry.get("error_code", "") for entry in answer["requests"]]


def in_s3(api: Api, world: World, lines: Iterable[str], tenant: str = "acme") -> str:
    """Upload JSON lines; return where they lie."""
    location: str = api.call("POST", "/uploads", tenant=tenant).json["location"]
    content = "\n".join(lines).encode()
    world.payloads.place(Location.parse(location), content, "application/jsonl")
    return location


def admitting(world: World, *, rate: int = 0, outstanding: int = 0) -> Admission:
    limit = InMemoryRateLimit(rate, world.clock) if rate else None
    return Admission(
        rate=limit, requests=world.requests, outstanding_limit=outstanding, clock=world.clock
    )


def test_every_item_has_a_row_and_a_message_in_its_lane(api: Api, world: World) -> None:
    answer = submit(api, an_item("a"), an_item("b", priority=2), an_item("c"))
    assert [entry["index"] for entry in answer["requests"]] == [0, 1, 2]

    ids = [entry["request_id"] for entry in answer["requests"]]
    assert all(world.row(request_id).deployment_id == "ocr-1" for request_id in ids)
    waiting = {message.request_id: message.inline_payload for message in world.waiting()}
    assert waiting == {ids[0]: b'"a"', ids[2]: b'"c"'}
    assert [message.request_id for message in world.waiting(priority=2)] == [ids[1]]
    assert world.counted["RequestsAccepted"] == 3


def test_an_item_that_is_wrong_is_refused_alone(api: Api) -> None:
    answer = submit(
        api,
        an_item(priority=3),
        an_item(),
        "no object",
        an_item("x" * MAX_PAYLOAD_BYTES),
        {"model_input_location": "s3://elsewhere/key"},
        an_item(webhook_endpoint="http://example.com"),
    )
    client_error = "client_error"
    assert codes(answer) == [
        client_error, "", client_error, "payload_too_large", client_error, client_error,
    ]  # fmt: skip
    assert answer["requests"][0]["error"].startswith("priority: ")


def test_an_item_may_point_to_an_upload(api: Api, world: World) -> None:
    location = api.call("POST", "/uploads").json["location"]
    assert submit(api, {"model_input_location": location})["accepted"] == 1
    (message,) = world.waiting()
    assert message.location is not None
    assert message.location.uri == location


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"requests": []}',
        '{"requests": {}}',
        '{"requests": [{"model_input": 1}], "input_location": "s3://bucket/key"}',
        '{"input_location": "https://bucket/key"}',
        json.dumps({"requests": [0] * (MOST_IN_BATCH + 1)}),
    ],
    ids=["nothing", "a list", "no item", "no list", "two sources", "no place", "too many"],
)
def test_a_batch_that_is_none_is_refused_as_a_whole(api: Api, world: World, body: str) -> None:
    reply = api.call("POST", BATCH, body)
    assert (reply.status, reply.json["error_code"]) == (400, "client_error")
    assert not world.requests.count_open(ACME, 1)


def test_an_unknown_deployment_takes_no_batch(api: Api) -> None:
    assert api.call("POST", "/models/nope/production/async_predict_batch", "{}").status == 404


def test_as_many_items_as_are_allowed_are_accepted(api: Api, world: World) -> None:
    answer = submit(api, *[an_item(number) for number in range(MOST_IN_BATCH)])
    assert answer["accepted"] == MOST_IN_BATCH
    assert world.queues["ocr-1"].depth().queued == MOST_IN_BATCH
    assert world.requests.count_open(ACME, 2_000) == MOST_IN_BATCH


def test_a_repeat_of_a_batch_finds_its_requests_and_starts_nothing_new(
    api: Api, world: World
) -> None:
    items = [an_item(number, idempotency_key=f"line {number}") for number in range(3)]
    first = submit(api, *items)
    world.requests.claim(first["requests"][0]["request_id"], "worker", 30)

    assert submit(api, *items) == first
    assert world.requests.count_open(ACME, 10) == 3


def test_a_key_of_another_submission_is_refused_alone(api: Api) -> None:
    submit(api, an_item(1, idempotency_key="k"))
    answer = submit(api, an_item(2, idempotency_key="k"), an_item(2, idempotency_key="l"))
    assert answer["accepted"] == 1
    assert "another payload" in answer["requests"][0]["error"]


def test_a_key_that_stands_in_a_batch_twice_is_one_request_with_one_message(
    api: Api, world: World
) -> None:
    answer = submit(api, *[an_item(1, idempotency_key="k")] * 2)
    assert len({entry["request_id"] for entry in answer["requests"]}) == 1
    assert len(world.waiting()) == 1


@pytest.mark.parametrize("limit", [{"rate": 5}, {"outstanding": 5}], ids=str)
def test_as_many_items_are_accepted_as_the_limits_have_room_for(
    world: World, limit: dict[str, int]
) -> None:
    api = Api(world=world, admission=admitting(world, **limit))
    answer = submit(api, an_item(priority=7), *[an_item()] * 12)
    assert codes(answer) == ["client_error", *[""] * 5, *["rate_limited"] * 7]
    assert world.requests.count_open(ACME, 100) == 5


def test_a_batch_of_which_nothing_may_be_accepted_is_429(world: World) -> None:
    api = Api(world=world, admission=admitting(world, rate=2))
    submit(api, an_item(), an_item())
    reply = api.call("POST", BATCH, json.dumps({"requests": [an_item()]}))
    assert (reply.status, reply.json["error_code"]) == (429, "rate_limited")
    assert reply.headers["Retry-After"] == "1"


@pytest.mark.parametrize("fails", ["fail", "fail_after"])
@pytest.mark.parametrize("call", ["requests.accept", "queue.send_many"])
def test_what_is_not_acknowledged_never_runs(api: Api, world: World, call: str, fails: str) -> None:
    getattr(world.faults, fails)(call, THROTTLED)
    answer = submit(api, an_item(1), an_item(2))
    refused = 2 if call == "queue.send_many" else 1
    assert codes(answer).count("model_unavailable") == refused
    assert world.requests.count_open(ACME, 10) == 2 - refused


def test_a_failure_that_nobody_foresaw_costs_its_own_item_alone(api: Api, world: World) -> None:
    world.faults.fail("requests.accept", RuntimeError("access denied"))
    answer = submit(api, an_item(1), an_item(2), an_item(3))
    assert sorted(codes(answer)) == ["", "", "internal_baseten_error"]
    assert len(world.waiting()) == world.requests.count_open(ACME, 10) == 2


@pytest.mark.parametrize("fails", ["fail", "fail_after"])
def test_items_whose_messages_fail_unforeseen_are_withdrawn(
    api: Api, world: World, fails: str
) -> None:
    getattr(world.faults, fails)("queue.send_many", RuntimeError("access denied"))
    answer = submit(api, an_item(1), an_item(2, priority=1))
    assert codes(answer).count("internal_baseten_error") == 1
    assert world.requests.count_open(ACME, 10) == 1


def test_a_removed_deployment_refuses_items_one_by_one_and_says_so(api: Api, world: World) -> None:
    world.queues["ocr-1"].is_gone = True
    answer = submit(api, an_item(1), an_item(2), an_item())
    assert codes(answer) == ["model_unavailable"] * 3
    assert "the deployment was just removed" in answer["requests"][0]["error"]
    assert world.requests.count_open(ACME, 10) == 0


def test_a_repeat_after_production_moved_is_the_first_request(api: Api, world: World) -> None:
    items = [an_item(number, idempotency_key=f"line {number}") for number in range(3)]
    first = submit(api, *items)
    ocr = world.catalog.find_model("ocr")
    assert ocr is not None
    world.catalog = InMemoryCatalog(
        [ocr.model_copy(update={"environments": {"production": "ocr-2"}})]
    )

    assert submit(Api(world=world), *items) == first
    assert not world.waiting("ocr-2")


@pytest.mark.parametrize("when", ["crash_before", "crash_after"])
@pytest.mark.parametrize("call", ["requests.accept", "queue.send_many"])
def test_a_repeat_heals_a_batch_that_a_crash_cut_off(
    api: Api, world: World, call: str, when: str
) -> None:
    items = [an_item(number, idempotency_key=f"line {number}") for number in range(4)]
    getattr(world.faults, when)(call)
    with pytest.raises(CrashError):
        submit(api, *items)

    answer = submit(api, *items)
    ids = {entry["request_id"] for entry in answer["requests"]}
    assert len(ids) == 4
    assert {message.request_id for message in world.waiting()} == ids


def test_lines_in_s3_are_a_batch_in_which_empty_lines_keep_their_number(
    api: Api, world: World
) -> None:
    lines = ['{"model_input": "a"}', "", "no JSON", '{"model_input": "b"}', ""]
    reply = api.call("POST", BATCH, json.dumps({"input_location": in_s3(api, world, lines)}))
    answer = checked(reply.json)
    assert [entry["index"] for entry in answer["requests"]] == [0, 2, 3]
    assert codes(answer) == ["", "client_error", ""]
    assert [message.inline_payload for message in world.waiting()] == [b'"a"', b'"b"']


def test_a_byte_order_mark_before_lines_means_nothing(api: Api, world: World) -> None:
    location = in_s3(api, world, ['\ufeff{"model_input": 1}', '{"model_input": 2}'])

    assert api.call("POST", BATCH, {"input_location": location}).json["accepted"] == 2


def test_a_file_may_hold_more_lines_than_a_call(api: Api, world: World) -> None:
    location = in_s3(api, world, ['{"model_input": 1}'] * (MOST_IN_BATCH + 500))
    reply = api.call("POST", BATCH, json.dumps({"input_location": location}))
    assert reply.json["accepted"] == MOST_IN_BATCH + 500


@pytest.mark.parametrize(
    ("lines", "says"),
    [([""], "no lines"), (["{}"] * (MOST_LINES + 1), "more than 10,000 lines")],
    ids=["empty", "too many"],
)
def test_a_file_without_lines_or_with_too_many_is_refused(
    api: Api, world: World, lines: list[str], says: str
) -> None:
    reply = api.call("POST", BATCH, json.dumps({"input_location": in_s3(api, world, lines)}))
    assert reply.status == 400
    assert says in reply.json["error"]


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("s3://elsewhere/key", "not among the deployment's input_buckets"),
        ("s3://payloads/uploads/acme/gone", "there is no such object"),
    ],
)
def test_a_file_that_may_not_or_cannot_be_read_is_refused(
    api: Api, location: str, says: str
) -> None:
    reply = api.call("POST", BATCH, json.dumps({"input_location": location}))
    assert reply.status == 400
    assert says in reply.json["error"]


def test_another_tenants_file_is_not_read(api: Api, world: World) -> None:
    location = in_s3(api, world, ['{"model_input": 1}'], tenant="other")
    assert api.call("POST", BATCH, json.dumps({"input_location": location})).status == 400


def test_a_chain_takes_a_batch_too(api: Api, world: World) -> None:
    answer = submit(api, an_item(), path="/chains/pages/production/async_predict_batch")
    row = world.row(answer["requests"][0]["request_id"])
    assert (row.chain_id, row.state) == ("pages", RequestState.QUEUED)
