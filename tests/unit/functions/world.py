"""Everything outside of the functions, in memory."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from penstock.adapters.in_memory import (
    FakeClock,
    FaultPoints,
    InMemoryCatalog,
    InMemoryDeadLetterQueue,
    InMemoryNotifier,
    InMemoryPayloadStore,
    InMemoryRequestQueue,
    InMemoryRequestStore,
    InMemoryResultStore,
)
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.message import QueueMessage
from penstock.contracts.outcome import Succeeded
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.requests import RequestQueue
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Submission, Target
from penstock.dialects.address import Address

ACME = Tenant("acme")
OCR = Address(readings=(Target(model_id="ocr"),))


def _deployment(deployment_id: str) -> Deployment:
    return Deployment(
        model_id="ocr",
        deployment_id=deployment_id,
        queue_urls=(f"{deployment_id}-p0", f"{deployment_id}-p1", f"{deployment_id}-p2"),
        dead_letter_queue_url=f"{deployment_id}-dead",
    )


@dataclass
class World:
    """The ports, with a model `ocr`: production is `ocr-1`, staging is `ocr-2`.

    It is the entry of the chain `pages`.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    faults: FaultPoints = field(default_factory=FaultPoints)
    counted: Counter[str] = field(default_factory=Counter)
    payloads: InMemoryPayloadStore = field(default_factory=InMemoryPayloadStore)
    results: InMemoryResultStore = field(default_factory=InMemoryResultStore)
    notifier: InMemoryNotifier = field(default_factory=InMemoryNotifier)
    catalog: InMemoryCatalog = field(init=False)
    requests: InMemoryRequestStore = field(init=False)
    queues: dict[str, InMemoryRequestQueue] = field(init=False)
    dead_letters: dict[str, InMemoryDeadLetterQueue] = field(init=False)

    def __post_init__(self) -> None:
        deployments = {name: _deployment(name) for name in ("ocr-1", "ocr-2")}
        model = Model(
            model_id="ocr",
            environments={"production": "ocr-1", "staging": "ocr-2"},
            deployments=deployments,
        )
        chain = model.model_copy(update={"model_id": "chain:pages", "chain_id": "pages"})
        self.catalog = InMemoryCatalog([model, chain])
        self.requests = InMemoryRequestStore(self.clock)
        self.queues = {name: InMemoryRequestQueue(self.clock) for name in deployments}
        self.dead_letters = {name: InMemoryDeadLetterQueue(self.clock) for name in deployments}

    def queue_of(self, deployment: Deployment) -> RequestQueue:
        return self.faults.around("queue", self.queues[deployment.deployment_id])

    def dead_letters_of(self, deployment: Deployment) -> DeadLetterQueue:
        return self.faults.around("dead_letters", self.dead_letters[deployment.deployment_id])

    def count(self, name: str) -> None:
        self.counted[name] += 1

    def waiting(self, deployment_id: str = "ocr-1", priority: int = 0) -> list[QueueMessage]:
        """Return what can be received now."""
        received = self.queues[deployment_id].receive(
            priority=priority, max_messages=10, wait_seconds=0, visible_after_seconds=0
        )
        return [delivery.message for delivery in received]

    def row(self, request_id: str) -> AsyncRequest:
        """Return a row that must exist."""
        row = self.requests.find(RequestId(request_id))
        assert row is not None
        return row

    def accepted(self, webhook: str | None = None, **changes: Any) -> AsyncRequest:
        """Return a request that waits; `changes` are of its row."""
        submission = Submission(tenant=ACME, payload=b"1", webhook_endpoint=webhook)
        row = submission.accepted("ocr", "ocr-1", self.clock()).model_copy(update=changes)
        self.requests.accept(row)
        return row

    def running(self, webhook: str | None = None, **changes: Any) -> AsyncRequest:
        """Return a request that a worker holds."""
        return self.requests.claim(self.accepted(webhook, **changes).request_id, "worker", 30)

    def succeeded(
        self, body: bytes, content_type: str = "application/json", webhook: str | None = None
    ) -> AsyncRequest:
        """Return a request that ended with this result."""
        row = self.running(webhook)
        result = self.results.put_result(row.request_id, body, content_type)
        return self.requests.finish(row, Succeeded(result=result))
