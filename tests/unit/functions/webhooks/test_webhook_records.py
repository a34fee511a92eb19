"""Batches of the webhook queue."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.webhooks.records import create_consumer
from functions.webhooks.service import WebhookService
from penstock.adapters.in_memory import InMemorySigningSecrets
from penstock.contracts.notification import Notification
from tests.unit.functions.events import queue_event
from tests.unit.functions.world import World

GOOD, BAD = "https://good.example.com/", "https://bad.example.com/"


class Receivers:
    """Takes what is sent to the good one, and nothing else."""

    def send(self, url: str, _body: bytes, _headers: Mapping[str, str]) -> int:
        return 200 if url == GOOD else 500


def consume(world: World, event: dict[str, Any]) -> dict[str, Any]:
    service = WebhookService(
        requests=world.requests,
        results=world.results,
        secrets=InMemorySigningSecrets(),
        sender=Receivers(),
        delay=lambda _receipt, _seconds: None,
        max_attempts=2,
        clock=world.clock,
        jitter=lambda: 1.0,
    )
    return create_consumer(service, world.count)(event)


def ended(world: World, url: str) -> Notification:
    return Notification.of(world.succeeded(b'"my secret"', webhook=url))


def test_only_what_was_not_taken_stays(world: World) -> None:
    event = queue_event(ended(world, GOOD), ended(world, BAD), ended(world, GOOD))
    assert consume(world, event) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert world.counted == {"WebhooksDelivered": 2, "WebhooksDelayed": 1}


def test_a_last_attempt_that_fails_stays_too(world: World) -> None:
    event = queue_event(ended(world, BAD), receive_count=2)
    assert consume(world, event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert world.counted == {"WebhooksExhausted": 1}


def test_an_unreadable_message_stays_and_takes_no_other_with_it(
    world: World, log: pytest.LogCaptureFixture
) -> None:
    event = queue_event("not a notification", ended(world, GOOD))
    assert consume(world, event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert "webhook undecided" in log.text


def test_attempts_are_logged_without_the_result(
    world: World, log: pytest.LogCaptureFixture
) -> None:
    notification = ended(world, BAD)
    consume(world, queue_event(notification))
    (line,) = log.text.splitlines()
    logged = json.loads(line)
    assert logged["request_id"] == notification.request_id
    assert (logged["verdict"], logged["receive_count"]) == ("delayed", 1)
    assert logged["reason"] == "the receiver answered 500"
    assert "secret" not in line
