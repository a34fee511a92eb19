"""Batches of the webhook queue."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest

from functions.webhooks.records import create_consumer
from functions.webhooks.traces import TracedAttempt
from penstock.contracts.errors import UnavailableError
from penstock.contracts.http.webhook_url import WebhookUrl
from penstock.contracts.notification import Notification
from penstock.contracts.ports.webhooks import ReceiverAnswer
from penstock.contracts.request import WebhookStatus
from tests.unit.functions.events import queue_event
from tests.unit.functions.webhooks.deliveries import Webhooks
from tests.unit.functions.world import World

GOOD, BAD = "https://good.example.com/", "https://bad.example.com/"


class Receivers:
    """Takes what is sent to the good one, and nothing else."""

    def send(self, url: WebhookUrl, _body: bytes, _headers: Mapping[str, str]) -> ReceiverAnswer:
        return ReceiverAnswer(200 if url.host == "good.example.com" else 500)


@pytest.fixture
def webhooks(world: World) -> Webhooks:
    return Webhooks(world, sender=Receivers(), max_attempts=2)


def consume(webhooks: Webhooks, event: dict[str, Any]) -> dict[str, Any]:
    return create_consumer(webhooks.service, webhooks.world.count)(event)


def ended(world: World, url: str) -> Notification:
    return Notification.of(world.succeeded(b'"my secret"', webhook=url))


def test_only_what_was_not_taken_stays(webhooks: Webhooks, world: World) -> None:
    event = queue_event(ended(world, GOOD), ended(world, BAD), ended(world, GOOD))
    assert consume(webhooks, event) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert world.counted == {"WebhooksDelivered": 2, "WebhooksDelayed": 1}
    assert [receipt for receipt, _ in webhooks.queue.hidden] == ["receipt-1"]


def test_what_cannot_be_signed_counts_as_delayed_and_by_itself(world: World) -> None:
    webhooks = Webhooks(world, secrets=(), max_attempts=2)
    event = queue_event(ended(world, GOOD))
    assert consume(webhooks, event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert world.counted == {"WebhooksUnsigned": 1, "WebhooksDelayed": 1}


def test_a_last_attempt_that_fails_leaves_the_queue(webhooks: Webhooks, world: World) -> None:
    event = queue_event(ended(world, BAD))
    consume(webhooks, event)
    assert consume(webhooks, event) == {"batchItemFailures": []}
    assert world.counted == {"WebhooksDelayed": 1, "WebhooksExhausted": 1}


def test_an_unreadable_message_is_buried_and_takes_no_other_with_it(
    webhooks: Webhooks, world: World
) -> None:
    event = queue_event("not a notification", ended(world, GOOD))
    assert consume(webhooks, event) == {"batchItemFailures": []}
    assert webhooks.queue.buried == [
        ("not a notification", "unreadable: the message cannot be read")
    ]
    assert world.counted == {"WebhooksUnreadable": 1, "WebhooksDelivered": 1}


def test_a_message_that_aws_keeps_from_being_decided_stays_alone(
    webhooks: Webhooks, world: World, log: pytest.LogCaptureFixture
) -> None:
    world.faults.fail("queue.bury", UnavailableError("bury a webhook", "throttled"))
    event = queue_event("not a notification", ended(world, GOOD))
    assert consume(webhooks, event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert "webhook undecided" in log.text
    assert world.counted == {"WebhooksUndecided": 1, "WebhooksDelivered": 1}


def test_what_cannot_be_traced_is_decided_all_the_same(
    webhooks: Webhooks, world: World, log: pytest.LogCaptureFixture
) -> None:
    def trace(_traced: TracedAttempt) -> None:
        raise RuntimeError("no daemon")

    event = queue_event(ended(world, GOOD), ended(world, BAD))
    answer = create_consumer(webhooks.service, world.count, trace)(event)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert world.counted == {"WebhooksDelivered": 1, "WebhooksDelayed": 1}
    assert log.text.count("webhook not traced") == 2
    assert log.text.count("webhook attempted") == 2


@dataclass
class MeetingReceivers:
    """Answers nobody before all have called."""

    meeting: Barrier

    def send(self, _url: WebhookUrl, _body: bytes, _headers: Mapping[str, str]) -> ReceiverAnswer:
        self.meeting.wait(10)
        return ReceiverAnswer(200)


def test_the_webhooks_of_a_batch_are_sent_at_the_same_time(world: World) -> None:
    webhooks = Webhooks(world, sender=MeetingReceivers(Barrier(10)))
    batch = [ended(world, f"https://host-{number}.example.com/") for number in range(10)]
    assert consume(webhooks, queue_event(*batch)) == {"batchItemFailures": []}
    assert world.counted == {"WebhooksDelivered": 10}


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@dataclass
class SlowAndFast:
    """The slow one answers only when all others were delivered, and they only when it is busy."""

    world: World
    others: list[Notification]
    is_busy: Callable[[], bool] = lambda: False

    def are_delivered(self) -> bool:
        rows = [self.world.row(each.request_id) for each in self.others]
        return all(row.webhook_status is WebhookStatus.SUCCEEDED for row in rows)

    def send(self, url: WebhookUrl, _body: bytes, _headers: Mapping[str, str]) -> ReceiverAnswer:
        wait_until(self.are_delivered if url.host == "slow.example.com" else self.is_busy)
        return ReceiverAnswer(200)


@pytest.mark.spec("baseten", 32)
def test_a_slow_receiver_delays_no_other_and_holds_only_its_places(world: World) -> None:
    others = [ended(world, f"https://host-{number}.example.com/") for number in range(3)]
    slow = [ended(world, "https://slow.example.com/") for _ in range(6)]
    receivers = SlowAndFast(world, others)
    webhooks = Webhooks(world, sender=receivers)
    receivers.is_busy = lambda: len(webhooks.queue.hidden) == 2

    answer = consume(webhooks, queue_event(*slow, *others))

    assert len(answer["batchItemFailures"]) == 2
    assert world.counted == {"WebhooksDelivered": 7, "WebhooksDeferred": 2}


def test_attempts_are_logged_without_the_result(
    webhooks: Webhooks, world: World, log: pytest.LogCaptureFixture
) -> None:
    notification = ended(world, BAD)
    consume(webhooks, queue_event(notification))
    (line,) = log.text.splitlines()
    logged = json.loads(line)
    assert logged["request_id"] == notification.request_id
    assert (logged["verdict"], logged["receive_count"]) == ("delayed", 1)
    assert logged["reason"] == "the receiver answered 500"
    assert "secret" not in line
