"""Ids that callers choose, and calls that are refused."""

import pytest

from penstock.adapters.in_memory import InMemoryCatalog
from penstock.contracts.errors import UnavailableError
from penstock.contracts.request import Tenant
from tests.unit.functions.containers import Answered, Gateway, work
from tests.unit.functions.world import ACME, World

OCR = "/containers/ocr"
MINE = {"Prefer": "respond-async", "X-Inference-Id": "page-7"}


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


def test_the_caller_may_choose_the_id(gateway: Gateway, world: World) -> None:
    reply = gateway.call("POST", OCR, "{}", headers=MINE)
    assert reply.json["Id"] == reply.headers["X-Inference-Id"] == "page-7"
    (message,) = world.waiting(priority=1)
    assert world.row(message.request_id).caller_id == "page-7"


def test_a_repeated_id_means_the_first_request_whatever_it_says(
    gateway: Gateway, world: World
) -> None:
    gateway.call("POST", OCR, '{"first": 1}', headers=MINE)
    work(world, lambda *_: Answered(b"first"))
    again = gateway.call("POST", f"{OCR}/other", '{"second": 2}', headers=MINE)
    assert (again.status, again.json["Id"]) == (202, "page-7")
    assert world.waiting(priority=1) == []


def test_a_repeat_that_waits_hears_the_first_answer(gateway: Gateway, world: World) -> None:
    gateway.call("POST", OCR, "{}", headers=MINE)
    work(world, lambda *_: Answered(b"first"))
    again = gateway.call("POST", OCR, "{}", headers={"X-Inference-Id": "page-7"})
    assert (again.status, again.body) == (200, b"first")


def test_a_repeat_queues_what_a_failure_left_unqueued(gateway: Gateway, world: World) -> None:
    world.faults.fail("queue.send", UnavailableError("send", "throttled"))
    refused = gateway.call("POST", OCR, "{}", headers=MINE)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert gateway.call("POST", OCR, "{}", headers=MINE).status == 202
    assert len(world.waiting(priority=1)) == 1


@pytest.mark.parametrize(
    ("path", "tenant"), [("/containers/ocr-staging", ACME), (OCR, Tenant("other"))]
)
def test_an_id_belongs_to_a_tenant_and_a_deployment(
    gateway: Gateway, world: World, path: str, tenant: Tenant
) -> None:
    gateway.call("POST", OCR, "{}", headers=MINE)
    gateway.call("POST", path, "{}", headers=MINE, tenant=tenant)
    ids = {
        message.request_id
        for deployment_id in world.queues
        for message in world.waiting(deployment_id, priority=1)
    }
    assert len(ids) == 2


def test_an_id_outlives_a_move_of_the_models_pointer(gateway: Gateway, world: World) -> None:
    gateway.call("POST", OCR, "{}", headers=MINE)
    ocr = world.catalog.find_model("ocr")
    assert ocr is not None
    moved = ocr.model_copy(update={"environments": {"production": "ocr-2"}})
    world.catalog = InMemoryCatalog([moved])
    assert Gateway(world).call("POST", OCR, "{}", headers=MINE).status == 202
    assert world.waiting("ocr-2", priority=1) == []


@pytest.mark.parametrize("inference_id", ["", " ", "a b", "é", "a/b", "x" * 129, "a,b"])
def test_an_id_of_another_form_is_refused(gateway: Gateway, inference_id: str) -> None:
    reply = gateway.call("POST", OCR, "{}", headers={"X-Inference-Id": inference_id})
    assert reply.status == 400
    assert reply.json["error"].startswith("X-Inference-Id: must match")


@pytest.mark.parametrize(
    ("name", "deployment_id"),
    [("ocr", "ocr-1"), ("ocr-production", "ocr-1"), ("ocr-staging", "ocr-2"), ("ocr-2", "ocr-2")],
)
def test_a_deployment_has_the_name_of_its_model_environment_or_its_own(
    gateway: Gateway, world: World, name: str, deployment_id: str
) -> None:
    gateway.call("POST", f"/containers/{name}", headers=MINE)
    assert len(world.waiting(deployment_id, priority=1)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nope", "model nope does not exist; a deployment is called <model>"),
        ("ocr-9", "model ocr has no environment 9"),
        ("status", "send GET /containers/status/<deployment>"),
        ("result/ocr", "send GET /containers/result/<deployment>"),
    ],
)
def test_a_name_that_leads_nowhere_is_404(gateway: Gateway, name: str, text: str) -> None:
    reply = gateway.call("POST", f"/containers/{name}", "{}")
    assert (reply.status, reply.json["error"][: len(text)]) == (404, text)


def test_a_body_too_large_is_413(gateway: Gateway, world: World) -> None:
    reply = gateway.call("POST", OCR, b"x" * 1_001, headers=MINE)
    assert (reply.status, list(reply.json)) == (413, ["error"])
    assert world.waiting(priority=1) == []
