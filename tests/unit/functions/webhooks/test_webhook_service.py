"""What becomes of a webhook."""

import json
from dataclasses import dataclass

import pytest

from functions.webhooks.service import Attempt, Verdict
from penstock.adapters.in_memory import CrashError
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.signature import is_signed, signed_at
from penstock.contracts.http.webhook_url import ForbiddenTargetError
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Failed, Fault, FaultCode, Succeeded
from penstock.contracts.ports.webhooks import (
    MOST_DEFERRALS,
    ReceiverAnswer,
    UnreachableReceiverError,
)
from penstock.contracts.request import AsyncRequest, RequestId, Tenant, WebhookStatus
from penstock.contracts.submission import Submission
from tests.unit.functions.webhooks.deliveries import SECRETS, URL, Webhooks
from tests.unit.functions.world import World


def succeeded_for(world: World, tenant: Tenant) -> AsyncRequest:
    submission = Submission(tenant=tenant, payload=b"1", webhook_endpoint=URL)
    world.requests.accept(row := submission.accepted("ocr", "ocr-1", world.clock()))
    claimed = world.requests.claim(row.request_id, "worker", 30)
    result = world.results.put_result(row.request_id, b"1", "application/json")
    return world.requests.finish(claimed, Succeeded(result=result))


@pytest.mark.spec("baseten", 27, 28)
def test_a_post_names_and_signs_itself(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    assert webhooks.deliver(row) == Attempt(Verdict.DELIVERED)
    assert webhooks.status_of(row) is WebhookStatus.SUCCEEDED

    ((url, body, headers),) = webhooks.receivers.posts
    now = int(world.clock().timestamp())
    assert (url.host, url.port, url.target) == ("hooks.example.com", 443, "/done")
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "Penstock-Webhooks/1"
    assert headers["X-BASETEN-REQUEST-ID"] == row.request_id
    assert headers["X-PENSTOCK-EVENT-ID"] == Notification.of(row).event_id
    newest, older = headers["X-BASETEN-SIGNATURE"].split(",")
    assert is_signed(body, newest, [SECRETS[0]])
    assert is_signed(body, older, [SECRETS[1]])
    assert headers["X-PENSTOCK-TIMESTAMP"] == str(now)
    for secret in SECRETS:
        assert signed_at(body, headers["X-PENSTOCK-SIGNATURE"], [secret]) == now


def test_without_a_secret_nothing_is_sent_and_it_is_tried_again_until_it_is_given_up(
    world: World,
) -> None:
    webhooks = Webhooks(world, secrets=(), max_attempts=2)
    row = world.succeeded(b"1", webhook=URL)

    first = webhooks.deliver(row)
    assert first.verdict is Verdict.UNSIGNED
    assert "no active signing secret" in first.reason
    assert first.verdict.keeps_message
    assert len(webhooks.queue.hidden) == 1

    assert webhooks.deliver(row, receive_count=2).verdict is Verdict.EXHAUSTED
    assert "no active signing secret" in webhooks.queue.buried[0][1]
    assert webhooks.receivers.posts == []


@pytest.mark.spec("baseten", 27)
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


def test_a_message_of_before_a_redrive_leaves_the_webhook_to_the_new_end(
    webhooks: Webhooks, world: World
) -> None:
    fault = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")
    failed = world.requests.finish(world.running(URL), Failed(fault=fault))
    world.requests.reopen(failed.request_id)

    assert webhooks.deliver(failed).verdict is Verdict.OBSOLETE
    assert webhooks.status_of(failed) is WebhookStatus.PENDING
    ended = world.requests.finish(
        world.requests.claim(failed.request_id, "worker", 30), Failed(fault=fault)
    )
    assert webhooks.deliver(failed).verdict is Verdict.OBSOLETE
    assert webhooks.deliver(ended).verdict is Verdict.DELIVERED
    assert len(webhooks.receivers.posts) == 1


def test_a_canceled_request_sends_nothing(webhooks: Webhooks, world: World) -> None:
    row = world.requests.cancel(world.accepted(URL).request_id)
    assert webhooks.deliver(row).verdict is Verdict.OBSOLETE
    assert webhooks.status_of(row) is WebhookStatus.CANCELED
    assert not webhooks.receivers.posts


@pytest.mark.spec("baseten", 31)
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (199, "the receiver answered 199"),
        (301, "the receiver answered 301: redirects are not followed"),
        (400, "the receiver answered 400"),
        (404, "the receiver answered 404"),
        (429, "the receiver answered 429"),
        (500, "the receiver answered 500"),
        (UnreachableReceiverError("it did not answer"), "it did not answer"),
    ],
)
def test_what_is_not_taken_is_delayed_and_tried_again(
    webhooks: Webhooks, world: World, answer: int | Exception, reason: str
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [answer]

    assert webhooks.deliver(row) == Attempt(Verdict.DELAYED, reason)

    assert Verdict.DELAYED.keeps_message
    assert webhooks.queue.hidden == [("receipt", 20)]
    assert webhooks.status_of(row) is WebhookStatus.PENDING
    assert webhooks.deliver(row).verdict is Verdict.DELIVERED
    assert webhooks.attempts_of(row) == 2


@pytest.mark.spec("baseten", 30)
def test_each_attempt_tells_its_own_time_and_is_signed_anew_under_the_same_event_id(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [503]
    webhooks.deliver(row)
    world.clock.advance(60)
    webhooks.deliver(row)

    (_, first, before), (_, second, after) = webhooks.receivers.posts
    assert json.loads(first)["time"] != json.loads(second)["time"]
    assert is_signed(second, after["X-BASETEN-SIGNATURE"], SECRETS)
    stamps = [signed_at(first, before["X-PENSTOCK-SIGNATURE"], SECRETS)]
    stamps.append(signed_at(second, after["X-PENSTOCK-SIGNATURE"], SECRETS))
    assert stamps[0] is not None
    assert stamps[1] == stamps[0] + 60
    assert before["X-PENSTOCK-EVENT-ID"] == after["X-PENSTOCK-EVENT-ID"]


def test_a_receiver_may_ask_to_be_left_alone_for_longer(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [ReceiverAnswer(429, "120"), ReceiverAnswer(503, "1")]
    webhooks.deliver(row)
    webhooks.deliver(row)
    assert webhooks.delays() == [120, 60]


def test_a_receiver_may_answer_seldom_but_its_wish_counts_for_no_more_than_half_a_day(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [ReceiverAnswer(503, "99999999")]
    webhooks.deliver(row)
    assert webhooks.delays() == [43_200]


@pytest.mark.spec("baseten", 31)
def test_the_last_attempt_gives_up_and_leaves_a_dead_letter(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [404] * 8
    verdicts = [webhooks.deliver(row).verdict for _ in range(8)]

    assert verdicts == [Verdict.DELAYED] * 7 + [Verdict.EXHAUSTED]
    assert not Verdict.EXHAUSTED.keeps_message
    assert webhooks.status_of(row) is WebhookStatus.FAILED
    letter = Notification.of(row).model_dump_json()
    assert webhooks.queue.buried == [(letter, "exhausted: the receiver answered 404")]
    assert len(webhooks.queue.hidden) == 7


def test_a_receiver_that_is_gone_is_given_up_at_once(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [410]
    assert webhooks.deliver(row).verdict is Verdict.GONE
    assert not Verdict.GONE.keeps_message
    assert webhooks.status_of(row) is WebhookStatus.FAILED
    ((_, reason),) = webhooks.queue.buried
    assert reason == "gone: the receiver answered 410: it wants no webhook any more"


def test_a_url_that_must_not_be_called_is_given_up_without_an_attempt(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook="https://10.0.0.1/")
    assert webhooks.deliver(row).verdict is Verdict.FORBIDDEN
    assert not Verdict.FORBIDDEN.keeps_message
    assert webhooks.status_of(row) is WebhookStatus.FAILED
    assert webhooks.attempts_of(row) == 0
    ((_, reason),) = webhooks.queue.buried
    assert reason == "forbidden: must name its host: an IP address is not called"
    assert not webhooks.receivers.posts


def test_a_name_that_leads_inside_is_given_up_at_once(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [ForbiddenTargetError("it leads to 10.0.0.1")]
    assert webhooks.deliver(row) == Attempt(Verdict.FORBIDDEN, "it leads to 10.0.0.1")
    assert webhooks.status_of(row) is WebhookStatus.FAILED


def test_a_webhook_started_over_has_all_its_attempts(webhooks: Webhooks, world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [410, 500]
    webhooks.deliver(row)
    world.requests.record_webhook(row, WebhookStatus.PENDING)
    assert webhooks.deliver(row).verdict is Verdict.DELAYED
    assert webhooks.attempts_of(row) == 1


def test_a_host_that_keeps_failing_is_avoided_without_counting_attempts(
    webhooks: Webhooks, world: World
) -> None:
    rows = [world.succeeded(b"1", webhook=URL) for _ in range(7)]
    webhooks.receivers.answers = [503] * 5
    verdicts = [webhooks.deliver(row).verdict for row in rows]

    assert verdicts == [Verdict.DELAYED] * 5 + [Verdict.DEFERRED] * 2
    assert Verdict.DEFERRED.keeps_message
    assert webhooks.delays()[5:] == [45, 45]  # a cool-down of 30 s, and half of it by chance
    assert [webhooks.attempts_of(row) for row in rows[5:]] == [0, 0]
    world.clock.advance(30)
    assert webhooks.deliver(rows[6]).verdict is Verdict.DELIVERED
    assert webhooks.deliver(rows[5]).verdict is Verdict.DELIVERED


def test_another_host_and_another_tenant_do_not_suffer(webhooks: Webhooks, world: World) -> None:
    for _ in range(5):
        webhooks.receivers.answers = [UnreachableReceiverError("refused")]
        webhooks.deliver(world.succeeded(b"1", webhook=URL))
    elsewhere = world.succeeded(b"1", webhook="https://other.example.com/")
    foreign = succeeded_for(world, Tenant("other"))

    assert webhooks.deliver(world.succeeded(b"1", webhook=URL)).verdict is Verdict.DEFERRED
    assert webhooks.deliver(elsewhere).verdict is Verdict.DELIVERED
    assert webhooks.deliver(foreign).verdict is Verdict.DELIVERED


def test_a_webhook_its_receiver_refuses_says_nothing_of_the_host(
    webhooks: Webhooks, world: World
) -> None:
    webhooks.receivers.answers = [404] * 20
    rows = [world.succeeded(b"1", webhook=URL) for _ in range(20)]
    assert {webhooks.deliver(row).verdict for row in rows} == {Verdict.DELAYED}


def test_a_webhook_that_was_deferred_often_is_sent_all_the_same(
    webhooks: Webhooks, world: World
) -> None:
    for _ in range(5):
        webhooks.receivers.answers = [503]
        webhooks.deliver(world.succeeded(b"1", webhook=URL))
    row = world.succeeded(b"1", webhook=URL)
    assert webhooks.deliver(row, MOST_DEFERRALS).verdict is Verdict.DEFERRED
    assert webhooks.deliver(row, MOST_DEFERRALS + 1).verdict is Verdict.DELIVERED


def test_a_store_that_fails_before_the_post_uses_up_no_attempt(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    world.faults.fail("results.read", UnavailableError("read", "throttled"))
    with pytest.raises(UnavailableError):
        webhooks.deliver(row)
    assert webhooks.attempts_of(row) == 0
    assert webhooks.deliver(row).verdict is Verdict.DELIVERED


def test_a_store_that_fails_after_the_post_keeps_the_message(
    webhooks: Webhooks, world: World
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    world.faults.fail("requests.record_webhook", UnavailableError("record", "throttled"))
    with pytest.raises(UnavailableError):
        webhooks.deliver(row)
    assert webhooks.deliver(row).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("died", ["queue.bury", "requests.record_webhook"])
def test_a_process_that_dies_giving_up_leaves_a_letter_and_a_failed_row(
    webhooks: Webhooks, world: World, died: str
) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks.receivers.answers = [410, 410]
    world.faults.crash_before(died)
    with pytest.raises(CrashError):
        webhooks.deliver(row)
    assert webhooks.status_of(row) is WebhookStatus.PENDING

    webhooks.deliver(row)
    assert webhooks.status_of(row) is WebhookStatus.FAILED
    letter = Notification.of(row).model_dump_json()
    assert {body for body, _ in webhooks.queue.buried} == {letter}


def test_a_process_that_dies_in_its_last_attempt_does_not_make_another(world: World) -> None:
    webhooks = Webhooks(world, max_attempts=1)
    row = world.succeeded(b"1", webhook=URL)
    world.faults.crash_after("requests.count_webhook_attempt")
    with pytest.raises(CrashError):
        webhooks.deliver(row)
    assert webhooks.deliver(row).verdict is Verdict.EXHAUSTED
    assert not webhooks.receivers.posts
    assert webhooks.status_of(row) is WebhookStatus.FAILED


@dataclass
class DuplicatedReceiver:
    """Takes the webhook from a duplicate of the message, and then refuses this one."""

    world: World
    row: AsyncRequest

    def send(self, *_: object) -> ReceiverAnswer:
        self.world.requests.record_webhook(self.row, WebhookStatus.SUCCEEDED)
        return ReceiverAnswer(500)


def test_a_last_attempt_does_not_undo_what_a_duplicate_delivered(world: World) -> None:
    row = world.succeeded(b"1", webhook=URL)
    webhooks = Webhooks(world, sender=DuplicatedReceiver(world, row), max_attempts=1)
    assert webhooks.deliver(row).verdict is Verdict.OBSOLETE
    assert webhooks.status_of(row) is WebhookStatus.SUCCEEDED
    assert not webhooks.queue.buried
