"""A dispatcher's world in memory, with a clock that tests turn."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from penstock.adapters.in_memory import (
    FakeClock,
    InMemoryDeadLetterQueue,
    InMemoryNotifier,
    InMemoryPayloadStore,
    InMemoryRequestQueue,
    InMemoryRequestStore,
    InMemoryResultStore,
)
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest, RequestId, RetryPolicy, Tenant
from penstock.contracts.submission import Submission
from penstock.protocol.request_protocol import RequestProtocol

LEASE_SECONDS = 30


@dataclass
class World:
    """Everything outside of a dispatcher, with shortcuts for tests."""

    clock: Clock
    requests: InMemoryRequestStore = field(init=False)
    queue: InMemoryRequestQueue = field(init=False)
    dead_letters: InMemoryDeadLetterQueue = field(init=False)
    payloads: InMemoryPayloadStore = field(default_factory=InMemoryPayloadStore)
    results: InMemoryResultStore = field(default_factory=InMemoryResultStore)
    notifier: InMemoryNotifier = field(default_factory=InMemoryNotifier)

    def __post_init__(self) -> None:
        self.requests = InMemoryRequestStore(self.clock)
        self.queue = InMemoryRequestQueue(self.clock)
        self.dead_letters = InMemoryDeadLetterQueue(self.clock)

    def protocol(self, worker: str = "w1") -> RequestProtocol:
        return RequestProtocol(
            requests=self.requests,
            payloads=self.payloads,
            results=self.results,
            clock=self.clock,
            worker=worker,
            lease_seconds=LEASE_SECONDS,
            max_input_bytes=2_000_000,
        )

    def submit(
        self,
        payload: bytes = b'"hello"',
        *,
        priority: int = 0,
        retry: RetryPolicy | None = None,
        predict_timeout_seconds: float | None = None,
        traceparent: str | None = None,
    ) -> RequestId:
        submission = Submission(
            tenant=Tenant("acme"),
            payload=payload,
            priority=priority,
            retry=retry or RetryPolicy(initial_delay_ms=0),
            predict_timeout_seconds=predict_timeout_seconds,
        )
        row = submission.accepted("echo", "echo-v1", self.clock())
        self.requests.accept(row)
        message = QueueMessage.inline(row.request_id, payload, submission.content_type)
        assert message is not None
        message = message.model_copy(update={"traceparent": traceparent})
        self.queue.send(message, priority=priority, tenant="acme")
        return row.request_id

    def receive(self, priority: int = 0) -> Delivery:
        (delivery,) = self.queue.receive(
            priority=priority, max_messages=1, wait_seconds=0, visible_after_seconds=LEASE_SECONDS
        )
        return delivery

    def row(self, request_id: RequestId) -> AsyncRequest:
        row = self.requests.find(request_id)
        assert row is not None
        return row


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)
