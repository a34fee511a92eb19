"""Submitting over HTTP, and what is then known of the request."""

from typing import Any

import pytest

from functions.intake.admission import Admission
from penstock.adapters.in_memory import InMemoryRateLimit
from penstock.contracts.message import QueueMessage
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.world import World

SUBMIT = "/models/ocr/production/async_predict"


@pytest.mark.spec("baseten", 5)
@pytest.mark.parametrize("said", [{}, {"webhook_endpoint": None}], ids=["absent", "null"])
def test_a_request_without_a_webhook_says_that_none_was_provided(
    api: Api, said: dict[str, Any]
) -> None:
    accepted = api.call("POST", SUBMIT, {"model_input": 1, **said})
    assert accepted.status == 201
    status = api.call("GET", f"/async_request/{accepted.json['request_id']}").json
    assert status["webhook_status"] == "NO_WEBHOOK_PROVIDED"


def test_a_byte_order_mark_before_a_body_means_nothing(api: Api, world: World) -> None:
    reply = api.call("POST", SUBMIT, '\ufeff{"model_input": "x"}')

    assert reply.status == 201
    (message,) = _taken(world)
    assert message.inline_payload == b'"x"'


@pytest.mark.spec("baseten", 7)
def test_whoever_submits_faster_than_allowed_loses_nothing_that_was_accepted(world: World) -> None:
    rate = InMemoryRateLimit(200, world.clock)
    limits = Admission(rate=rate, requests=world.requests, outstanding_limit=0, clock=world.clock)
    api = Api(world=world, admission=limits)

    replies = [api.call("POST", SUBMIT, {"model_input": n}) for n in range(250)]

    accepted = [reply.json["request_id"] for reply in replies if reply.status == 201]
    refused = [reply for reply in replies if reply.status != 201]
    assert (len(accepted), len(refused)) == (200, 50)
    assert {(reply.status, reply.json["error_code"]) for reply in refused} == {
        (429, "rate_limited")
    }
    assert {message.request_id for message in _taken(world)} == set(accepted)
    assert all(world.row(request_id) for request_id in accepted)


def _taken(world: World) -> list[QueueMessage]:
    messages: list[QueueMessage] = []
    while more := world.queues["ocr-1"].receive(
        priority=0, max_messages=10, wait_seconds=0, visible_after_seconds=60
    ):
        messages += [delivery.message for delivery in more]
    return messages
