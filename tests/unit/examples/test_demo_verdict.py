"""The demo ends well only if everything was delivered whole."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console

from examples.demo import verdict as verdict_module
from examples.demo.pages import Page, sample_pages
from examples.demo.reading import Reading, submit
from examples.demo.report import show_problems, show_texts, show_times
from examples.demo.verdict import Verdict, judge
from examples.demo.webhook_receiver import WebhookReceiver
from penstock.adapters.in_memory import InMemoryResultStore
from penstock.client import RequestStatus
from penstock.contracts.http.signature import signature
from penstock.contracts.request import RequestId
from tests.unit.client.api import FAILED, accepted, open_api, status_body

SECRET = "whsec_demo"  # noqa: S105 - signs nothing but these tests
PAGE = Page("page.png", b"\x89PNG", known_text="determine markers")
RESULT = b'{"text": "Let us first\\ndetermine markers", "lines": []}'


@pytest.fixture(autouse=True)
def _webhooks_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict_module, "_WEBHOOK_SECONDS", 0)


@pytest.fixture
def results() -> InMemoryResultStore:
    """Return a bucket with the result."""
    store = InMemoryResultStore()
    store.put_result(RequestId("r1"), RESULT, "application/json")
    return store


@pytest.fixture
def receiver() -> WebhookReceiver:
    """Return a receiver that got the result."""
    receiver = WebhookReceiver([SECRET])
    assert deliver(receiver, RESULT) is HTTPStatus.OK
    return receiver


def deliver(receiver: WebhookReceiver, result: bytes, secret: str = SECRET) -> HTTPStatus:
    webhook = {
        "request_id": "r1",
        "model_id": "ocr",
        "deployment_id": "v1",
        "type": "async_request_completed",
        "time": datetime.now(UTC).isoformat(),
        "data": json.loads(result),
        "errors": [],
    }
    content = json.dumps(webhook).encode()
    return receiver.take(content, signature(content, [secret]))


def reading(answer: bytes = RESULT, *, page: Page = PAGE, **changes: Any) -> Reading:
    reply = httpx.Response(200, content=answer, headers={"Content-Type": "application/json"})
    client, _ = open_api(reply)
    status = RequestStatus.model_validate(status_body("SUCCEEDED") | changes)
    return Reading(page, 0, client.handle("r1"), status=status)


def test_a_result_that_arrived_whole_has_no_problem(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    verdict = judge(reading(), receiver, results)

    assert verdict.problems == []
    assert verdict.text == "Let us first\ndetermine markers"
    assert verdict.stored is not None
    assert verdict.stored.key == "results/r1"


def test_other_bytes_in_the_bucket_are_a_problem(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    spaced = RESULT.replace(b": ", b":")

    (problem,) = judge(reading(spaced), receiver, results).problems

    assert "other bytes" in problem


def test_an_empty_bucket_is_a_problem(receiver: WebhookReceiver) -> None:
    (problem,) = judge(reading(), receiver, InMemoryResultStore()).problems

    assert "no object" in problem


def test_other_data_in_the_webhook_is_a_problem(results: InMemoryResultStore) -> None:
    receiver = WebhookReceiver([SECRET])
    deliver(receiver, b'{"text": "something else"}')

    (problem,) = judge(reading(), receiver, results).problems

    assert "webhook delivered other data" in problem


def test_a_webhook_signed_by_another_is_a_problem(results: InMemoryResultStore) -> None:
    receiver = WebhookReceiver([SECRET])

    assert deliver(receiver, RESULT, "whsec_forged") is HTTPStatus.UNAUTHORIZED

    (problem,) = judge(reading(), receiver, results).problems
    assert "no verified webhook" in problem
    assert len(receiver.refusals) == 1


def test_a_page_that_was_misread_is_a_problem(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    page = Page("page.png", b"", known_text="words that are not there")

    (problem,) = judge(reading(page=page), receiver, results).problems

    assert "lacks 'words that are not there'" in problem


def test_a_failed_request_is_a_problem_with_its_faults(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    (problem,) = judge(reading(**FAILED), receiver, results).problems

    assert problem == "ended FAILED MODEL_PREDICT_ERROR: no ink"


def test_a_page_that_was_not_accepted_is_a_problem(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    client, _ = open_api(httpx.Response(413, json={"error": "payload size of 9 bytes exceeds"}))

    readings = submit(client, [PAGE], "http://127.0.0.1:1/webhook")

    for one in readings:
        (problem,) = judge(one, receiver, results).problems
        assert problem == "not accepted: payload size of 9 bytes exceeds (HTTP 413)"


def test_every_page_is_submitted_at_every_priority_with_the_webhook() -> None:
    client, api = open_api(accepted())

    submit(client, [PAGE, PAGE], "http://127.0.0.1:1/webhook")

    bodies = [json.loads(request.content) for request in api.asked]
    assert sorted(body["priority"] for body in bodies) == [0, 0, 1, 1, 2, 2]
    assert {body["webhook_endpoint"] for body in bodies} == {"http://127.0.0.1:1/webhook"}
    assert {body["model_input"]["image"] for body in bodies} == {"iVBORw=="}


@pytest.mark.parametrize(
    ("verdicts", "refusals", "is_well"),
    [
        ([Verdict(reading())], [], True),
        ([Verdict(reading()), Verdict(reading(), problems=["lost"])], [], False),
        ([Verdict(reading())], ["no signature"], False),
        ([], [], False),
    ],
)
def test_one_problem_spoils_the_whole(
    verdicts: list[Verdict], refusals: list[str], *, is_well: bool
) -> None:
    assert show_problems(verdicts, refusals, Console(quiet=True)) is is_well


def test_the_report_shows_text_place_and_times(
    receiver: WebhookReceiver, results: InMemoryResultStore
) -> None:
    verdict = judge(reading(), receiver, results)
    console = Console(record=True, width=120, file=StringIO())

    show_texts([verdict], console)
    show_times([verdict], console)

    shown = console.export_text()
    assert "determine markers" in shown
    assert verdict.stored is not None
    assert f"priority 0: {verdict.stored.uri}" in shown
    assert "03:04:05.678" in shown
    assert "+3.3" in shown
    assert "not seen" in shown


def test_the_sample_pages_are_in_the_installed_package() -> None:
    pages = {page.name: page for page in sample_pages()}

    assert set(pages) == {"page.png", "text.png"}
    assert pages["page.png"].known_text == "Let us first determine markers"
    assert all(page.image.startswith(b"\x89PNG") for page in pages.values())
