"""Everything outside of the processes, in memory, as any process may be shown it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from penstock.adapters.in_memory import (
    FakeClock,
    InMemoryCatalog,
    InMemoryDeadLetterQueue,
    InMemoryPayloadStore,
    InMemoryResultStore,
    InMemorySigningSecrets,
)
from penstock.adapters.object_keys import failure_key, result_key
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.http.webhook_url import WebhookUrl
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.webhooks import ReceiverAnswer
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Target
from penstock.dialects.address import Address
from tests.faults.simulation.queues import FanOut, InMemoryWebhookQueue, MisbehavingQueue
from tests.faults.simulation.stores import MisbehavingStore
from tests.faults.simulation.turns import SimulatedProcess

LEASE_SECONDS = 3
SWEEP_SECONDS = 60
WEBHOOK_ATTEMPTS = 4
MAX_RECEIVES = 20
"""Far fewer than in AWS, as is `WORN_RECEIVES`: a simulation reaches neither otherwise."""

WORN_RECEIVES = 10
ACME = Tenant("acme")
INPUTS = "inputs"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:callers"
NO_TOPIC = "arn:aws:sns:eu-central-1:123456789012:nobodys"
OCR = Address(readings=(Target(model_id="ocr"),))
DEPLOYMENT = Deployment(
    model_id="ocr",
    deployment_id="ocr-1",
    queue_urls=("p0", "p1", "p2"),
    dead_letter_queue_url="dead",
    input_buckets=(INPUTS,),
)


class ResultBucket(InMemoryResultStore):
    """A result store in which a test can look for failure documents too."""

    def find_failure(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        lies_at = place or self._own(failure_key(request_id))
        return self._find(lies_at, request_id if place else None)

    def look_for_result(
        self, request_id: RequestId, place: Location | None = None
    ) -> StoredObject | None:
        """Return what lies there, whether or not it is closed to us."""
        lies_at = place or self._own(result_key(request_id))
        return self._find(lies_at, request_id if place else None)


@dataclass
class Receiver:
    """Whoever takes webhooks."""

    statuses: list[int] = field(default_factory=list)
    """What it answers first; then it takes everything."""

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> ReceiverAnswer:
        return ReceiverAnswer(self.statuses.pop(0) if self.statuses else 200)


@dataclass(frozen=True, kw_only=True)
class World:
    """The clock and the ports; a port's calls are told apart by its field's name."""

    true_clock: FakeClock
    clock: Clock
    """The time as whoever sees this world has it."""

    catalog: InMemoryCatalog
    requests: MisbehavingStore
    queue: MisbehavingQueue
    dead_letters: InMemoryDeadLetterQueue
    payloads: InMemoryPayloadStore
    results: ResultBucket
    webhooks: InMemoryWebhookQueue
    notifier: FanOut
    secrets: InMemorySigningSecrets
    receiver: Receiver

    def seen_by(self, process: SimulatedProcess) -> "World":
        """Return the world in which every call of a port waits for its turn."""
        ports = {each.name: getattr(self, each.name) for each in fields(self)}
        del ports["true_clock"], ports["clock"]
        ports["requests"] = self.requests.seen_with(process.clock)
        stepped = {name: process.around(name, port) for name, port in ports.items()}
        return replace(self, clock=process.clock, **stepped)

    def row(self, request_id: RequestId) -> AsyncRequest:
        """Return a row that must exist."""
        row = self.requests.find(request_id)
        assert row is not None
        return row


def empty_world() -> World:
    """Return a world in which nothing has happened."""
    clock = FakeClock()
    dead_letters = InMemoryDeadLetterQueue(clock)
    webhooks = InMemoryWebhookQueue(clock)
    notifier = FanOut(webhooks)
    notifier.refusing.add(NO_TOPIC)
    return World(
        true_clock=clock,
        clock=clock,
        catalog=catalog(),
        requests=MisbehavingStore(clock),
        queue=MisbehavingQueue(clock, max_receives=MAX_RECEIVES, dead_letters=dead_letters),
        dead_letters=dead_letters,
        payloads=InMemoryPayloadStore(),
        results=ResultBucket(),
        webhooks=webhooks,
        notifier=notifier,
        secrets=InMemorySigningSecrets("whsec_simulated"),
        receiver=Receiver(),
    )


def catalog() -> InMemoryCatalog:
    """Return the one model of the stack."""
    model = Model(
        model_id="ocr", environments={"production": "ocr-1"}, deployments={"ocr-1": DEPLOYMENT}
    )
    return InMemoryCatalog([model])


def environment(
    concurrency_target: int, max_batch_size: int = 1, *, restart_after_stop: bool = False
) -> DispatcherEnvironment:
    """Return the settings of a dispatcher with the shortest lease."""
    required = {
        name: "x"
        for name, described in DispatcherEnvironment.model_fields.items()
        if described.is_required()
    }
    return DispatcherEnvironment.model_validate(
        {
            **required,
            "lease_seconds": LEASE_SECONDS,
            "concurrency_target": concurrency_target,
            "max_batch_size": max_batch_size,
            "max_batch_wait_ms": 50,
            "restart_after_stop": restart_after_stop,
        }
    )
