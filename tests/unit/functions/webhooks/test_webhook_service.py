"""What becomes of a webhook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.webhooks.sender import ForbiddenTargetError, UnreachableReceiverError
from functions.webhooks.service import (
    Attempt,
    Verdict,
    WebhookService,
    longest_delay_seconds,
)
from penstock.adapters.in_memory import InMemorySigningSecrets
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.signature import is_signed
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Failed, Fault, FaultCode
from penstock.contracts.request import AsyncRequest, RequestId, WebhookStatus
from tests.unit.functions.world import World

URL = "https://hooks.example.com/done"
SECRETS = ("whsec_new", "whsec_old")


@dataclass
class Receivers:
    """Answers as told, 200 by default, and remembers what came."""

    answers: list[int | Exception] = field(default_factory=list)
    posts: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.posts.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Webhooks:
    """The service, its receivers and the delays it asked for."""

    world: World
    secrets: tuple[str, ...] = SECRETS
    receivers: Receivers = field(default_factory=Receivers)
    delays: list[tuple[str, float]] = field(default_factory=list)

    def deliver(self, row: AsyncRequest, receive_count: int = 1) -> Attempt:
        service = WebhookService(
            requests=self.world.faults.around("requests", self.world.requests),
            results=self.world.results,
            secrets=InMemorySigningSecrets(*self.secrets),
            sender=self.receivers,
            delay=lambda receipt, seconds: self.delays.append((receipt, seconds)),
            max_attempts=8,
            clock=self.world.clock,
            jitter=lambda: 0.5,
        )
        return service.deliver(Notification.of(row), "receipt", receive_count)

    def status_of(self, row: AsyncRequest) -> WebhookStatus:
        return self.world.row(row.request_id).webhook_status

    def sent(self) -> dict[str, Any]:
        ((_, body, _),) = self.receivers.posts
        return dict(json.loads(body))


@pytest.fixture
def webhooks(world: World) -> Webhooks:
    return Webhooks(world)


def test_a_success_is_posted_with_its_result(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b'{"text": "\xc3\xa9"}', webhook=URL)

    assert webhooks.deliver(row) == Attempt(Verdict.DELIVERED)

    assert webhooks.status_of(row) is WebhookStatus.SUCCEEDED
    assert [*webhooks.sent().items()] == [
        ("request_id", row.request_id),
        ("model_id", "ocr"),
        ("deployment_id", "ocr-1"),
        ("type", "async_request_completed"),
        ("time", world.clock().isoformat().replace("+00:00", "Z")),
        ("data", {"text": "é"}),
        ("errors", []),
    ]


def test_a_post_names_and_signs_itself(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.deliver(row)

    ((url, body, headers),) = webhooks.receivers.posts
    assert url == URL
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "Penstock-Webhooks/1"
    assert headers["X-BASETEN-REQUEST-ID"] == row.request_id
    assert headers["X-PENSTOCK-EVENT-ID"] == f"{row.request_id}.succeeded"
    newest, older = headers["X-BASETEN-SIGNATURE"].split(",")
    assert is_signed(body, newest, [SECRETS[0]])
    assert is_signed(body, older, [SECRETS[1]])


def test_without_a_secret_there_is_no_signature(world: World) -> None:
    webhooks = Webhooks(world, secrets=())
    webhooks.deliver(world.succeeded(b"1", webhook=URL))
    assert "X-BASETEN-SIGNATURE" not in webhooks.receivers.posts[0][2]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"RIFF", "audio/wav"), (b"1", "text/plain"), (b"{", "application/json")],
)
def test_a_result_that_is_not_json_is_not_sent(
    webhooks: Webhooks, world: World, body: bytes, content_type: str
) -> None:
    webhooks.deliver(world.succeeded(body, content_type, webhook=URL))
    assert (webhooks.sent()["data"], webhooks.sent()["errors"]) == (None, [])


def test_a_failure_is_posted_with_its_fault(webhooks: Webhooks, world: World) -> None:
    fault = Fault(code=FaultCode.MODEL_INVALID_INPUT, message="no image")
    failure = world.results.put_failure(RequestId("r"), b"{}")
    row = world.requests.finish(world.running(URL), Failed(fault=fault, failure=failure))
    webhooks.deliver(row)
    assert webhooks.sent()["data"] is None
    assert webhooks.sent()["errors"] == [{"code": "MODEL_INVALID_INPUT", "message": "no image"}]


def test_an_expired_request_is_posted_with_a_reason(webhooks: Webhooks, world: World) -> None:
    row = world.accepted(URL)
    world.clock.advance(601)
    webhooks.deliver(world.requests.expire(row.request_id))
    (error,) = webhooks.sent()["errors"]
    assert error["code"] == "MODEL_UNAVAILABLE"


def test_a_delivered_webhook_is_not_sent_again(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.deliver(row)
    assert webhooks.deliver(row, receive_count=2) == Attempt(Verdict.OBSOLETE)
    assert len(webhooks.receivers.posts) == 1


def test_a_request_without_a_webhook_or_without_a_row_is_dropped(
    webhooks: Webhooks, world: World
) -> None:
    without = world.succeeded(b"1")
    forgotten = without.model_copy(update={"request_id": RequestId("f" * 32)})
    assert webhooks.deliver(without).verdict is Verdict.OBSOLETE
    assert webhooks.deliver(forgotten).verdict is Verdict.OBSOLETE
    assert not webhooks.receivers.posts


def test_a_canceled_request_sends_nothing(webhooks: Webhooks, world: World) -> None:
    row = world.requests.cancel(world.accepted(URL).request_id)
    assert webhooks.deliver(row).verdict is Verdict.OBSOLETE
    assert webhooks.status_of(row) is WebhookStatus.CANCELED
    assert not webhooks.receivers.posts


@pytest.mark.parametrize(
    "answer", [199, 301, 400, 410, 429, 500, 503, UnreachableReceiverError("timed out")]
)
def test_what_is_not_taken_is_delayed_and_tried_again(
    webhooks: Webhooks, world: World, answer: int | Exception
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [answer]

    attempt = webhooks.deliver(row, receive_count=2)

    assert attempt.verdict is Verdict.DELAYED
    assert str(answer) in attempt.reason
    assert webhooks.delays == [("receipt", 30)]
    assert webhooks.status_of(row) is WebhookStatus.PENDING
    assert webhooks.deliver(row, receive_count=3).verdict is Verdict.DELIVERED


def test_each_attempt_tells_its_own_time_and_is_signed_anew(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [503]
    webhooks.deliver(row)
    world.clock.advance(60)
    webhooks.deliver(row, receive_count=2)

    (_, first, _), (_, second, headers) = webhooks.receivers.posts
    assert json.loads(first)["time"] != json.loads(second)["time"]
    assert is_signed(second, headers["X-BASETEN-SIGNATURE"], SECRETS)


def test_the_last_attempt_gives_up_and_leaves_a_dead_letter(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [500]
    attempt = webhooks.deliver(row, receive_count=8)
    assert attempt.verdict is Verdict.EXHAUSTED
    assert attempt.verdict.keeps_message
    assert webhooks.status_of(row) is WebhookStatus.FAILED
    assert not webhooks.delays


def test_a_forbidden_target_is_given_up_at_once(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [ForbiddenTargetError("not https")]
    attempt = webhooks.deliver(row)
    assert (attempt.verdict, attempt.verdict.keeps_message) == (Verdict.FORBIDDEN, False)
    assert webhooks.status_of(row) is WebhookStatus.FAILED


def test_a_store_that_fails_after_the_post_keeps_the_message(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    world.faults.fail("requests.record_webhook", UnavailableError("record", "throttled"))
    with pytest.raises(UnavailableError):
        webhooks.deliver(row)
    assert webhooks.deliver(row, receive_count=2).verdict is Verdict.DELIVERED


def test_eight_attempts_span_at_most_about_six_hours() -> None:
    waits = [longest_delay_seconds(count) for count in range(1, 8)]
    assert waits == sorted(waits)
    assert waits[0] == 20
    assert 5.9 < sum(waits) / 3_600 < 6.1
    assert longest_delay_seconds(100) == waits[-1]
