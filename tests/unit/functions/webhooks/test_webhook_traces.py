"""A webhook is part of the trace of its request."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from aws_lambda_powertools import Tracer
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no types

from functions.webhooks.records import create_consumer
from functions.webhooks.service import Attempt, Verdict
from functions.webhooks.traces import TracedAttempt, attempt_tracing, send_segment, trace_nothing
from penstock.contracts.notification import Notification
from tests.unit.functions.events import queue_event
from tests.unit.functions.webhooks.deliveries import Webhooks
from tests.unit.functions.world import World

TRACEPARENT = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"


class _Emitter:
    def __init__(self) -> None:
        self.sent: list[dict[str, object]] = []

    def send_entity(self, entity: object) -> None:
        self.sent.append(json.loads(entity.serialize()))  # type: ignore[attr-defined]  # untyped


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> _Emitter:
    emitter = _Emitter()
    monkeypatch.setattr(xray_recorder, "_emitter", emitter)
    return emitter


@pytest.fixture
def delivered(world: World) -> TracedAttempt:
    ended = Notification.of(world.succeeded(b"1", webhook="https://you.example/"))
    return TracedAttempt(
        notification=ended.model_copy(update={"traceparent": TRACEPARENT}),
        attempt=Attempt(Verdict.DELIVERED),
        began_at=world.clock(),
        ended_at=world.clock() + timedelta(seconds=2),
    )


def test_an_attempt_continues_the_trace_that_its_request_ended_in(
    delivered: TracedAttempt, daemon: _Emitter
) -> None:
    send_segment(delivered)

    (segment,) = daemon.sent
    assert segment["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert segment["parent_id"] == "53995c3f42cd8ad8"
    assert segment["annotations"] == {
        "request_id": delivered.notification.request_id,
        "verdict": "delivered",
    }
    assert segment["start_time"] == delivered.began_at.timestamp()
    assert segment["end_time"] == delivered.ended_at.timestamp()
    assert "error" not in segment


def test_an_attempt_that_was_not_taken_is_an_error(
    delivered: TracedAttempt, daemon: _Emitter
) -> None:
    send_segment(replace(delivered, attempt=Attempt(Verdict.DELAYED, "503")))

    (segment,) = daemon.sent
    assert segment["error"] is True


@pytest.mark.parametrize("untraced", [None, "no trace", f"{TRACEPARENT[:-1]}0"])
def test_what_is_not_traced_or_not_sampled_is_not_sent(
    delivered: TracedAttempt, daemon: _Emitter, untraced: str | None
) -> None:
    notification = delivered.notification.model_copy(update={"traceparent": untraced})
    send_segment(replace(delivered, notification=notification))

    assert daemon.sent == []


def test_nothing_is_sent_where_no_daemon_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")

    assert attempt_tracing(Tracer(service="webhooks", patch_modules=())) is trace_nothing


def test_each_webhook_of_a_batch_is_traced(world: World) -> None:
    webhooks = Webhooks(world)
    ends = [Notification.of(world.succeeded(b"1", webhook="https://you.example/")) for _ in "ab"]
    traced: list[TracedAttempt] = []

    create_consumer(webhooks.service, world.count, traced.append)(queue_event(*ends))

    assert {one.notification.request_id for one in traced} == {end.request_id for end in ends}
