"""Baseten's own document of its API, held against ours in both directions.

What its schemas allow is accepted, and every answer is one that it documents.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response

from functions.intake.admission import Admission
from penstock.adapters.in_memory import InMemoryCatalog, InMemoryRateLimit
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.baseten import WEBHOOK_FAILED
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestState, WebhookStatus
from tests.fuzz.baseten_document import (
    DOCUMENT,
    as_we_take_it,
    asynchronous,
    call,
    hosts,
    in_every_state,
    published,
    submits,
)
from tests.fuzz.campaign import Operation
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

IS_HERE = DOCUMENT.exists()
EXAMPLES = 25
LIMIT = 262_144

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(not IS_HERE, reason=f"{DOCUMENT} is not here: it is Baseten's, not ours"),
]

OPERATIONS = asynchronous(as_we_take_it()) if IS_HERE else []
SUBMISSIONS = [one for one in OPERATIONS if submits(one)]
QUESTIONS = [one for one in OPERATIONS if "{request_id}" in one.path]
OTHERS = [one for one in OPERATIONS if one not in SUBMISSIONS and one not in QUESTIONS]


def _label(operation: Operation) -> str:
    return str(operation.label)


@pytest.fixture
def world() -> World:
    """Return a world whose model and chain have a development environment."""
    world = World()
    known = [world.catalog.find_model(name) for name in ("ocr", "chain:pages")]
    world.catalog = InMemoryCatalog(
        model.model_copy(update={"environments": {**model.environments, "development": "ocr-2"}})
        for model in known
        if model is not None
    )
    return world


def _attack(
    world: World,
    operation: Operation,
    mode: GenerationMode,
    judge: Callable[[Response], None] = lambda _: None,
) -> None:
    api = Api(world=world, max_payload_bytes=LIMIT)

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def attack(case: Case[Any], data: st.DataObject) -> None:
        host = data.draw(st.sampled_from(hosts(operation)), label="host")
        judge(call(api, operation, case, host))

    attack()


def test_everything_asynchronous_is_found() -> None:
    assert (len(SUBMISSIONS), len(QUESTIONS), len(OTHERS)) == (10, 2, 10)


@pytest.mark.parametrize("operation", SUBMISSIONS, ids=_label)
def test_what_the_document_allows_is_accepted(world: World, operation: Operation) -> None:
    def judge(response: Response) -> None:
        assert response.status_code == 201, response.text

    _attack(world, operation, GenerationMode.POSITIVE, judge)


@pytest.mark.parametrize("operation", SUBMISSIONS, ids=_label)
def test_what_the_document_forbids_is_answered_as_it_says(
    world: World, operation: Operation
) -> None:
    _attack(world, operation, GenerationMode.NEGATIVE)


@pytest.mark.parametrize("operation", OTHERS, ids=_label)
def test_wake_and_queue_are_answered_as_the_document_says(
    world: World, operation: Operation
) -> None:
    for host in hosts(operation):
        response = call(Api(world=world), operation, operation.Case(), host)
        assert response.status_code == (202 if operation.path.endswith("wake") else 200)


@pytest.mark.parametrize("operation", QUESTIONS, ids=_label)
@pytest.mark.parametrize(("name", "chain_id"), [("model-ocr", None), ("chain-pages", "pages")])
def test_a_request_in_any_state_is_answered_as_the_document_says(
    world: World, operation: Operation, name: str, chain_id: str | None
) -> None:
    host, answers = f"{name}.api.example.com", []
    for row in in_every_state(world, chain_id):
        response = call(Api(world=world), operation, operation.Case(), host, row.request_id)
        assert response.status_code == 200
        answers.append(response.json())

    if operation.method == "get":
        assert {answer["status"] for answer in answers} == {*RequestState, WEBHOOK_FAILED}
        assert {answer["webhook_status"] for answer in answers} == {*WebhookStatus}


@pytest.mark.parametrize("operation", SUBMISSIONS, ids=_label)
def test_a_submission_that_is_not_taken_is_answered_as_the_document_says(
    world: World, operation: Operation
) -> None:
    rate = InMemoryRateLimit(1, world.clock)
    limits = Admission(rate=rate, requests=world.requests, outstanding_limit=0, clock=world.clock)
    world.faults.fail("queue.send", UnavailableError("send", "throttled"))
    api = Api(world=world, admission=limits)

    def submitted() -> int:
        case = operation.Case(body={"model_input": {}}, media_type="application/json")
        return call(api, operation, case, hosts(operation)[0]).status_code

    assert [submitted(), submitted()] == [503, 429]


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.method != "post"], ids=_label
)
def test_whoever_asks_too_often_is_answered_as_the_document_says(
    world: World, operation: Operation
) -> None:
    api = Api(world=world, calls=InMemoryRateLimit(0, world.clock))
    for host in hosts(operation):
        row = world.accepted()
        response = call(api, operation, operation.Case(), host, row.request_id)
        assert (response.status_code, response.json()["error_code"]) == (429, "rate_limited")


def test_the_words_are_those_of_the_document() -> None:
    schemas = published()["components"]["schemas"]
    status = schemas["AsyncRequestStatusResponse"]["properties"]
    assert {*status["status"]["enum"]} == {*RequestState, WEBHOOK_FAILED}
    assert {*status["webhook_status"]["enum"]} == {*WebhookStatus}
    codes = schemas["AsyncRequestError"]["properties"]["code"]["enum"]
    assert {*codes} == {*FaultCode}
