"""The real services and the real dispatcher over in-memory ports, each call waiting its turn."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from functions.intake.service import IntakeService
from functions.status.service import StatusService
from functions.sweeper.service import SweeperService
from functions.webhooks.content import WebhookContent
from functions.webhooks.hosts import Hosts
from functions.webhooks.service import Received, WebhookService
from penstock.adapters.in_memory import (
    FakeClock,
    InMemoryCatalog,
    InMemoryDeadLetterQueue,
    InMemoryPayloadStore,
    InMemoryRequestStore,
    InMemoryResultStore,
    InMemorySigningSecrets,
)
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.errors import CallerError, PenstockError, UnavailableError
from penstock.contracts.http.webhook_url import WebhookRules, WebhookUrl
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.webhooks import ReceiverAnswer
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Submission, Target
from penstock.dialects.address import Address
from runtime_image.dispatcher.model_server.server import Answer
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import Ports, wire
from tests.faults.ledger import Ledger
from tests.faults.simulation.queues import FanOut, InMemoryWebhookQueue, MisbehavingQueue
from tests.faults.simulation.turns import Fate, SimulatedProcess, Simulation, Turn

LEASE_SECONDS = 3
SWEEP_SECONDS = 60
WEBHOOK_ATTEMPTS = 4
ACME = Tenant("acme")
OCR = Address(readings=(Target(model_id="ocr"),))
_DEPLOYMENT = Deployment(
    model_id="ocr",
    deployment_id="ocr-1",
    queue_urls=("p0", "p1", "p2"),
    dead_letter_queue_url="dead",
)
_METRICS = Metrics("ocr", "ocr-1")

UNEXPECTED: list[str] = []
"""What dispatchers survived and logged, though it must not happen."""


@dataclass(eq=False)
class ModelCall:
    """A call that a model server works on until the simulation answers it."""

    worker: SimulatedProcess
    request_id: RequestId
    answer: asyncio.Future[Answer]


class ResultBucket(InMemoryResultStore):
    """A result store in which a test can look for failure documents too."""

    def find_failure(self, request_id: RequestId) -> StoredObject | None:
        return self._find(f"failures/{request_id}")


@dataclass
class Receiver:
    """Whoever takes webhooks."""

    statuses: list[int] = field(default_factory=list)
    """What it answers first; then it takes everything."""

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> ReceiverAnswer:
        return ReceiverAnswer(self.statuses.pop(0) if self.statuses else 200)


@dataclass
class SimulatedModel:
    """The model server of one worker."""

    worker: SimulatedProcess
    stack: "Stack"

    async def is_ready(self) -> bool:
        return True

    async def predict(
        self, request_id: RequestId, payload: bytes, content_type: str, timeout_seconds: float
    ) -> Answer:
        self.stack.ledger.ran(self.worker.name, request_id, payload)
        answer: asyncio.Future[Answer] = self.worker.loop.create_future()
        call = ModelCall(self.worker, request_id, answer)
        self.stack.model_calls.append(call)
        try:
            return await answer
        finally:
            if call in self.stack.model_calls:
                self.stack.model_calls.remove(call)


@dataclass
class Worker:
    """A running dispatcher."""

    process: SimulatedProcess
    drain: Drain
    main: asyncio.Task[None]


@dataclass
class Stack:
    """Everything between a client's POST and its webhook."""

    clock: FakeClock = field(default_factory=FakeClock)
    workers: list[Worker] = field(default_factory=list)
    model_calls: list[ModelCall] = field(default_factory=list)
    receiver: Receiver = field(default_factory=Receiver)
    kills: int = 0

    def __post_init__(self) -> None:
        self.requests = InMemoryRequestStore(self.clock)
        self.queue = MisbehavingQueue(self.clock)
        self.dead_letters = InMemoryDeadLetterQueue(self.clock)
        self.dead_letters = InMemoryDeadLetterQueue(self.clock)
        self.payloads = InMemoryPayloadStore()
        self.results = ResultBucket()
        self.webhooks = InMemoryWebhookQueue(self.clock)
        self.notifier = FanOut(self.webhooks)
        self.secrets = InMemorySigningSecrets("whsec_simulated")
        self.catalog = catalog()
        self.ledger = Ledger(
            self.requests, self.results, self.clock, webhook_attempts=WEBHOOK_ATTEMPTS
        )
        self.simulation = Simulation(self.clock, self.ledger)
        self.ids: list[RequestId] = []
        self._names = 0

    # --- processes

    def start_worker(self, concurrency_target: int = 1) -> Worker:
        process = self._process("dispatcher")
        settings = environment(concurrency_target)
        drain = Drain(settings.drain_seconds)
        ports = Ports(
            requests=process.around("requests", self.requests),
            queue=process.around("queue", self.queue),
            dead_letters=process.around("dead_letters", self.dead_letters),
            payloads=process.around("payloads", self.payloads),
            results=process.around("results", self.results),
            notifier=process.around("notifier", self.notifier),
            clock=self.clock,
        )
        wired = wire(settings, ports, SimulatedModel(process, self), drain, _METRICS)
        # All have the name of this machine and process: only the attempt tells them apart.
        main = process.start(wired.run())
        worker = Worker(process, drain, main)
        self.workers.append(worker)
        return worker

    def submit(self, submission: Submission) -> None:
        """Start a call of the intake function."""
        self.ledger.payloads[submission.sha256(_DEPLOYMENT.deployment_id)] = submission.payload
        process = self._process("intake")
        service = IntakeService(
            catalog=process.around("catalog", self.catalog),
            requests=process.around("requests", self.requests),
            payloads=process.around("payloads", self.payloads),
            queue_of=lambda _: process.around("queue", self.queue),
            clock=self.clock,
        )

        def accept() -> None:
            request = service.accept(submission, OCR)
            self.ledger.acknowledged(request)
            if request.request_id not in self.ids:
                self.ids.append(request.request_id)

        self._invoke(process, accept)

    def cancel(self, request_id: RequestId, *, force: bool) -> None:
        """Start a call of the status function."""
        process = self._process("status")
        service = StatusService(
            catalog=process.around("catalog", self.catalog),
            requests=process.around("requests", self.requests),
            results=process.around("results", self.results),
            queue_of=lambda _: process.around("queue", self.queue),
            inline_result_bytes=0,
            result_url_seconds=60,
        )
        self._invoke(process, lambda: service.cancel(request_id, ACME, OCR, force=force))

    def deliver_webhook(self) -> bool:
        """Start the webhooks function for the next message, if one waits."""
        message = self.webhooks.receive()
        if message is None:
            return False
        received = Received(message.notification, message.receipt, message.receive_count)
        process = self._process("webhooks")
        results = process.around("results", self.results)
        service = WebhookService(
            requests=process.around("requests", self.requests),
            content=WebhookContent(results=results, max_body_bytes=100_000, result_url_seconds=60),
            secrets=process.around("secrets", self.secrets),
            sender=process.around("receiver", self.receiver),
            queue=process.around("webhooks", self.webhooks),
            hosts=Hosts(self.clock),
            rules=WebhookRules(),
            max_attempts=WEBHOOK_ATTEMPTS,
            clock=self.clock,
            jitter=lambda: 0.5,
        )

        def deliver() -> None:
            if not service.deliver(received).verdict.keeps_message:
                self.webhooks.delete(received.receipt)

        self._invoke(process, deliver)
        return True

    def sweep(self) -> None:
        """Start the sweeper function."""
        process = self._process("sweeper")
        service = SweeperService(
            catalog=process.around("catalog", self.catalog),
            requests=process.around("requests", self.requests),
            results=process.around("results", self.results),
            notifier=process.around("notifier", self.notifier),
            queue_of=lambda _: process.around("queue", self.queue),
            dead_letters_of=lambda _: process.around("dead_letters", self.dead_letters),
            clock=self.clock,
            count=lambda _: None,
        )
        self._invoke(process, lambda: service.sweep(lambda: True))

    def _process(self, kind: str) -> SimulatedProcess:
        self._names += 1
        return self.simulation.process(f"{kind}-{self._names}")

    def _invoke(self, process: SimulatedProcess, function: Callable[[], object]) -> None:
        def answer() -> None:
            # An error that the function is meant to raise is the answer that its caller hears.
            with suppress(UnavailableError, CallerError):
                function()

        def ended(done: asyncio.Future[Any]) -> None:
            if process.is_alive:
                process.kill()
                done.result()

        process.start_call(answer).add_done_callback(ended)
        process.run_ready()

    # --- what the simulation chooses

    def runnable(self) -> list[Turn]:
        """Return the calls that may be made now; an empty lane is polled until its poll ends."""
        return [
            turn
            for turn in self.simulation.turns
            if not turn.process.is_frozen and (turn.is_due or self._would_answer(turn))
        ]

    def _would_answer(self, turn: Turn) -> bool:
        if turn.call.name != "queue.receive":
            return True
        return self.queue.has_visible(turn.call.kwargs["priority"])

    def take(self, turn: Turn, fate: Fate) -> None:
        """Let a waiting call happen, or fail."""
        self.simulation.take(turn, fate)
        self._look_around()

    def advance(self, seconds: float) -> None:
        """Let time pass for processes that do what is due in it."""
        until = self.simulation.time() + seconds
        while self.simulation.advance_to_timer(until):
            self._end_polls()
        self._end_polls()

    def jump(self, seconds: float) -> None:
        """Let time pass in which every process stalls."""
        self.simulation.jump(seconds)
        self._end_polls()

    def _end_polls(self) -> None:
        for turn in [turn for turn in self.simulation.turns if turn.is_due]:
            if not turn.process.is_frozen:
                self.simulation.take(turn, Fate.DONE)
        self._look_around()

    def answer_model(self, call: ModelCall, answer: Answer | PenstockError) -> None:
        """Let a model server answer, or fail."""
        self.model_calls.remove(call)
        if isinstance(answer, Answer):
            call.answer.set_result(answer)
        else:
            call.answer.set_exception(answer)
        call.worker.run_ready()
        self._look_around()

    def lose_message(self, choice: int, *, is_dead_lettered: bool) -> None:
        """Take a message out of its lane; SQS keeps it as a dead letter, or it has passed away."""
        if (message := self.queue.lose(choice)) is None:
            return
        if is_dead_lettered:
            self.dead_letters.receive_moved(message.encoded())
        self.ledger.message_lost(message.request_id)

    def kill(self, worker: Worker) -> None:
        """SIGKILL."""
        worker.process.kill()
        self._look_around()

    def stop(self, worker: Worker, seconds: float) -> None:
        """SIGTERM, with so long to finish what runs."""
        worker.process.loop.call_soon(worker.drain.request, seconds)
        worker.process.run_ready()
        self._look_around()

    def freeze(self, worker: Worker) -> None:
        """SIGSTOP: nothing of it happens until it is thawed."""
        worker.process.is_frozen = True

    def thaw(self) -> None:
        """SIGCONT to all: they go on as if no time had passed."""
        for process in list(self.simulation.processes):
            process.is_frozen = False
            process.run_ready()
        self._look_around()

    @property
    def working(self) -> list[Worker]:
        """The dispatchers that are not frozen."""
        return [worker for worker in self.workers if not worker.process.is_frozen]

    def _look_around(self) -> None:
        for worker in list(self.workers):
            if not worker.process.is_alive:
                self.workers.remove(worker)
                self.kills += 1
            elif worker.main.done():
                self.workers.remove(worker)
                worker.process.kill()
                worker.main.result()
        self.ledger.broken += UNEXPECTED
        UNEXPECTED.clear()
        for process in self.simulation.processes:
            self.ledger.broken += [repr(error) for error in process.loop.errors]
        self.ledger.raise_if_broken()

    def answer_of(self, call: ModelCall) -> Answer:
        """Return what the model makes: another body each time, so that a second one is seen."""
        run = self.ledger.stories[call.request_id].runs
        return Answer(f'"{call.request_id} {run}"'.encode(), "application/json")

    def rows(self) -> list[AsyncRequest]:
        return [row for id_ in self.ledger.stories if (row := self.requests.find(id_))]

    def row(self, request_id: RequestId) -> AsyncRequest:
        row = self.requests.find(request_id)
        assert row is not None
        return row


def catalog() -> InMemoryCatalog:
    """Return the one model of the stack."""
    model = Model(
        model_id="ocr", environments={"production": "ocr-1"}, deployments={"ocr-1": _DEPLOYMENT}
    )
    return InMemoryCatalog([model])


def environment(concurrency_target: int) -> DispatcherEnvironment:
    """Return the settings of a dispatcher with the shortest lease."""
    required = {
        name: "x"
        for name, described in DispatcherEnvironment.model_fields.items()
        if described.is_required()
    }
    return DispatcherEnvironment.model_validate(
        required | {"lease_seconds": LEASE_SECONDS, "concurrency_target": concurrency_target}
    )
