"""Asking for calls of containers."""

import pytest

from penstock.adapters.in_memory import InMemoryCatalog, InMemoryRequestStore, InMemoryResultStore
from penstock.contracts.origin import Dialect
from penstock.contracts.outcome import Canceled, Failed, Fault, FaultCode, StoredObject, Succeeded
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Submission
from tests.unit.functions.containers import Answered, Gateway, work
from tests.unit.functions.world import ACME, World

OCR = "/containers/ocr"
FAULT = Fault(code=FaultCode.MODEL_UNAVAILABLE, message="The worker died.")


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


def submitted(gateway: Gateway, inference_id: str | None = None) -> str:
    """Return the id of a call that nobody waits for."""
    chosen = {} if inference_id is None else {"X-Inference-Id": inference_id}
    reply = gateway.call("POST", OCR, "{}", headers={"Prefer": "respond-async"} | chosen)
    return str(reply.json["Id"])


def ended(gateway: Gateway, answered: Answered) -> str:
    """Return the id of a call that was answered so."""
    inference_id = submitted(gateway)
    work(gateway.world, lambda *_: answered)
    return inference_id


def claimed(world: World, inference_id: str) -> AsyncRequest:
    return world.requests.claim(RequestId(inference_id), "worker", 30)


def test_the_status_goes_from_queue_to_inference_to_completed(
    gateway: Gateway, world: World
) -> None:
    inference_id = submitted(gateway)

    def answer() -> object:
        reply = gateway.ask("status", inference_id)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
        return reply.json

    assert answer() == {"Id": inference_id, "Status": "Queue", "Error": None}
    running = claimed(world, inference_id)
    assert answer() == {"Id": inference_id, "Status": "Inference", "Error": None}
    world.requests.release(running, FAULT, counts_as_attempt=True)
    assert answer() == {"Id": inference_id, "Status": "Inference", "Error": None}
    running = claimed(world, inference_id)
    result = world.results.put_result(running.request_id, b"{}", "application/json")
    world.requests.finish(running, Succeeded(result=result))
    assert answer() == {"Id": inference_id, "Status": "Completed", "Error": None}


def test_a_failure_is_completed_with_an_error(gateway: Gateway, world: World) -> None:
    inference_id = submitted(gateway)
    world.requests.finish(claimed(world, inference_id), Failed(fault=FAULT))
    assert gateway.ask("status", inference_id).json == {
        "Id": inference_id,
        "Status": "Completed",
        "Error": "MODEL_UNAVAILABLE: The worker died.",
    }


def test_so_is_what_expired(gateway: Gateway, world: World) -> None:
    inference_id = submitted(gateway)
    world.clock.advance(601)
    world.requests.expire(RequestId(inference_id), FAULT)
    reply = gateway.ask("status", inference_id).json
    assert (reply["Status"], reply["Error"]) == ("Completed", "MODEL_UNAVAILABLE: The worker died.")
    assert gateway.ask("result", inference_id).status == 504


def test_so_is_what_was_canceled(gateway: Gateway, world: World) -> None:
    inference_id = submitted(gateway)
    world.requests.finish(claimed(world, inference_id), Canceled())
    reply = gateway.ask("status", inference_id).json
    assert (reply["Status"], reply["Error"]) == ("Completed", "the request was canceled")
    result = gateway.ask("result", inference_id)
    assert (result.status, result.json) == (410, {"error": "the request was canceled"})


def test_there_is_no_result_before_the_end(gateway: Gateway, world: World) -> None:
    inference_id = submitted(gateway)
    early = gateway.ask("result", inference_id)
    claimed(world, inference_id)
    later = gateway.ask("result", inference_id)
    for reply in (early, later):
        assert (reply.status, reply.json) == (404, {"error": "result not found"})


@pytest.mark.parametrize(
    ("content_type", "answered"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("Application/JSON;x=y", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    ],
)
def test_a_result_is_the_containers_with_json_named_exactly(
    gateway: Gateway, content_type: str, answered: str
) -> None:
    inference_id = ended(gateway, Answered(b'{"a": "\xc3\xa9"}', content_type))
    reply = gateway.ask("result", inference_id)
    assert (reply.status, reply.body) == (200, b'{"a": "\xc3\xa9"}')
    assert reply.headers["Content-Type"] == answered


def test_a_result_can_be_fetched_again(gateway: Gateway) -> None:
    inference_id = ended(gateway, Answered(b"\xff\x00", "image/png"))
    assert gateway.ask("result", inference_id) == gateway.ask("result", inference_id)
    assert gateway.ask("result", inference_id).body == b"\xff\x00"


def test_a_result_that_has_passed_away_is_gone(gateway: Gateway, world: World) -> None:
    inference_id = ended(gateway, Answered(body=b"{}"))
    row = world.requests.find(RequestId(inference_id))
    assert row is not None
    assert row.result is not None
    world.results.remove(row.result)
    reply = gateway.ask("result", inference_id)
    assert (reply.status, "passes away" in reply.json["error"]) == (410, True)


def test_every_success_is_200(gateway: Gateway) -> None:
    inference_id = ended(gateway, Answered(b"made", "text/plain", 201))
    assert gateway.ask("result", inference_id).status == 200


def test_an_empty_result_still_has_a_content_type(gateway: Gateway) -> None:
    inference_id = ended(gateway, Answered(b"", "application/octet-stream", 204))
    reply = gateway.ask("result", inference_id)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/octet-stream")


def test_a_large_result_lies_elsewhere_as_json_named_exactly(world: World) -> None:
    signed: list[str] = []

    class Results(InMemoryResultStore):
        def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
            signed.append(stored.content_type)
            return super().url(stored, lifetime_seconds)

    world.results = Results()
    gateway = Gateway(world)
    inference_id = ended(gateway, Answered(b"[" + b" " * 100 + b"]", "application/json; a=b"))
    reply = gateway.ask("result", inference_id)
    assert (reply.status, signed) == (303, ["application/json"])
    assert reply.headers["Location"].endswith("lifetime_seconds=60")


def test_a_containers_error_is_its_own(gateway: Gateway) -> None:
    answered = Answered(b'{"detail": "bad"}', "application/json; charset=utf-8", 422)
    inference_id = ended(gateway, answered)
    reply = gateway.ask("result", inference_id)
    assert (reply.status, reply.json) == (422, {"detail": "bad"})
    assert reply.headers["Content-Type"] == "application/json"
    assert "422" in gateway.ask("status", inference_id).json["Error"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (FaultCode.MODEL_UNAVAILABLE, 502),
        (FaultCode.MODEL_PREDICT_TIMEOUT, 504),
        (FaultCode.INTERNAL_SERVER_ERROR, 502),
    ],
)
def test_an_end_without_an_answer_is_a_gateways_error(
    gateway: Gateway, world: World, code: FaultCode, status: int
) -> None:
    inference_id = submitted(gateway)
    running = claimed(world, inference_id)
    ours = world.results.put_failure(running.request_id, b'{"error": "ours"}')
    fault = Fault(code=code, message="why")
    world.requests.finish(running, Failed(fault=fault, failure=ours))
    reply = gateway.ask("result", inference_id)
    assert (reply.status, reply.json) == (status, {"error": f"{code}: why"})


@pytest.mark.parametrize("kind", ["status", "result"])
def test_the_id_must_be_said(gateway: Gateway, kind: str) -> None:
    reply = gateway.ask(kind, None)
    assert reply.status == 400
    assert reply.json == {"error": "X-Inference-Id: is missing; it says which request"}


@pytest.mark.parametrize("kind", ["status", "result"])
@pytest.mark.parametrize("name", ["ocr", "nope", "other-1", "status"])
def test_an_unknown_id_is_404(gateway: Gateway, kind: str, name: str) -> None:
    reply = gateway.ask(kind, "no-such-id", name=name)
    assert (reply.status, list(reply.json)) == (404, ["error"])


@pytest.mark.parametrize("kind", ["status", "result"])
@pytest.mark.parametrize("chosen", [None, "page-7"])
def test_another_tenant_sees_nothing_even_with_an_equal_id(
    gateway: Gateway, kind: str, chosen: str | None
) -> None:
    inference_id = submitted(gateway, chosen)
    work(gateway.world, lambda *_: Answered())
    assert gateway.ask(kind, inference_id).status == 200
    assert gateway.ask(kind, inference_id, tenant="other").status == 404
    assert gateway.ask(kind, inference_id, name="nope").status == 404


def test_two_tenants_may_choose_the_same_id(gateway: Gateway) -> None:
    submitted(gateway, "page-7")
    headers = {"Prefer": "respond-async", "X-Inference-Id": "page-7"}
    gateway.call("POST", OCR, "{}", headers=headers, tenant="other")
    work(gateway.world, lambda _, message: Answered(message.request_id.encode(), "text/plain"))
    replies = {gateway.ask("result", "page-7", tenant=tenant).body for tenant in (ACME, "other")}
    assert len(replies) == 2


def test_a_request_is_known_by_either_of_its_ids(gateway: Gateway, world: World) -> None:
    submitted(gateway, "page-7")
    (message,) = world.waiting(priority=1)
    for known_as in ("page-7", message.request_id):
        assert gateway.ask("status", known_as).json["Id"] == known_as
    assert gateway.ask("status", "page-7", name="ocr-production").status == 200


@pytest.mark.parametrize("name", ["ocr", "ocr-production", "ocr-1"])
@pytest.mark.parametrize("are_deployments_gone", [False, True])
def test_a_chosen_id_is_found_before_any_index_knows_it(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, *, are_deployments_gone: bool
) -> None:
    gateway = Gateway(world)
    headers = {"Prefer": "respond-async", "X-Inference-Id": "page-7"}
    gateway.call("POST", f"/containers/{name}", "{}", headers=headers)
    monkeypatch.setattr(InMemoryRequestStore, "find_by_caller_id", lambda *_: None)
    if are_deployments_gone:
        ocr = world.catalog.find_model("ocr")
        assert ocr is not None
        world.catalog = InMemoryCatalog([ocr.model_copy(update={"deployments": {}})])
    assert Gateway(world).ask("status", "page-7", name=name).status == 200


@pytest.mark.parametrize("dialect", [Dialect.BASETEN, Dialect.SAGEMAKER])
def test_requests_of_other_dialects_are_found(
    gateway: Gateway, world: World, dialect: Dialect
) -> None:
    theirs = Submission(tenant=Tenant(ACME), dialect=dialect, caller_id="theirs")
    row = theirs.accepted("ocr", "ocr-1", world.clock())
    world.requests.accept(row)
    for known_as in ("theirs", row.request_id):
        assert gateway.ask("status", known_as).json["Status"] == "Queue"
    result = world.results.put_result(row.request_id, b"1", "application/json")
    world.requests.finish(claimed(world, row.request_id), Succeeded(result=result))
    assert gateway.ask("result", "theirs").body == b"1"
