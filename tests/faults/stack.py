"""The real processes in a simulated world, and what may happen to them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from functions.webhooks.service import Received
from penstock.cli.dlq import letters
from penstock.contracts.errors import CallerError, PenstockError, UnavailableError
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.contracts.submission import Submission
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelFaultError,
    ModelRefusedError,
)
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import wire
from tests.faults import services
from tests.faults.accounts import Accounts
from tests.faults.ledger import Ledger
from tests.faults.model import ModelCall, SimulatedModel
from tests.faults.promises import INPUT, Promises
from tests.faults.simulation.fates import Fate, UnexpectedError
from tests.faults.simulation.turns import SimulatedProcess, Simulation, Turn
from tests.faults.world import (
    ACME,
    OCR,
    World,
    empty_world,
    environment,
)

_METRICS = Metrics("ocr", "ocr-1")

UNEXPECTED: list[str] = []
"""What dispatchers survived and logged, though it must not happen."""


@dataclass
class Worker:
    """A running dispatcher."""

    process: SimulatedProcess
    drain: Drain
    main: asyncio.Task[None]
    model: SimulatedModel
    readiness: Readiness


@dataclass
class Stack:
    """Everything between a client's POST and its webhook."""

    world: World = field(default_factory=empty_world)
    workers: list[Worker] = field(default_factory=list)
    model_calls: list[ModelCall] = field(default_factory=list)
    kills: int = 0
    thawed_at: float = 0
    dead_copies: int = 0
    redrives: int = 0
    """How often an operator tried."""

    max_batch_size: int = 1
    """How many requests may share a call to the model server."""

    restarts_models: bool = False
    """Whether a model server is restarted that works on with a call that was closed."""

    places_fail: bool = False
    """Whether callers' places may be out of reach for so long that ours takes their documents."""

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.world)
        self.promises = Promises(self.world)
        self.accounts = Accounts(self.world, self.ledger)
        self.simulation = Simulation(self.world.true_clock, self.ledger)
        self.ids: list[RequestId] = []
        """Of all that was accepted, oldest first."""

        self._names = 0

    def start_worker(self, concurrency_target: int = 1, *, skew_seconds: float = 0) -> Worker:
        """Start a dispatcher, on a machine whose clock may be ahead or behind.

        All have the name of this machine and process: only the attempt tells them apart.
        """
        process = self._process("dispatcher", skew_seconds)
        settings = environment(
            concurrency_target, self.max_batch_size, restart_after_stop=self.restarts_models
        )
        drain = Drain(settings.drain_seconds)
        ports = services.dispatcher_ports(self.world.seen_by(process))
        model = SimulatedModel(
            process, self.ledger, self.model_calls, concurrency_target, self.restarts_models
        )
        wired = wire(settings, ports, model, drain, _METRICS)
        main = process.start(wired.run())
        worker = Worker(process, drain, main, model, wired.readiness)
        self.workers.append(worker)
        return worker

    def submit(self, submission: Submission) -> None:
        """Start a call of the intake function."""
        payload = submission.payload
        if submission.input == INPUT:
            payload = b"of its caller"
            self.world.payloads.place(INPUT, payload, "binary/octet-stream")
        self.ledger.payloads[submission.sha256()] = payload
        process = self._process("intake")
        service = services.intake(self.world.seen_by(process))

        def accept() -> None:
            request = service.accept(submission, OCR)
            self.ledger.acknowledged(request)
            if request.request_id not in self.ids:
                self.ids.append(request.request_id)

        self._invoke(process, accept)

    def cancel(self, request_id: RequestId, *, force: bool) -> None:
        """Start a call of the status function."""
        process = self._process("status")
        service = services.status(self.world.seen_by(process))
        self._invoke(process, lambda: service.cancel(request_id, ACME, OCR, force=force))

    def deliver_webhook(self) -> bool:
        """Start the webhooks function for the next message, if one waits."""
        message = self.world.webhooks.receive()
        if message is None:
            return False
        received = Received(message.notification, message.receipt, message.receive_count)
        process = self._process("webhooks")
        service = services.webhooks(self.world.seen_by(process))

        def deliver() -> None:
            if not service.deliver(received).verdict.keeps_message:
                self.world.webhooks.delete(received.receipt)

        self._invoke(process, deliver)
        return True

    def sweep(self, most_calls: int | None = None) -> None:
        """Start the sweeper function, whose time may be up after so many calls."""
        process = self._process("sweeper")
        service = services.sweeper(self.world.seen_by(process))

        def has_time() -> bool:
            return most_calls is None or process.calls < most_calls

        self._invoke(process, lambda: service.sweep(has_time))

    def redrive(self) -> None:
        """Start `penstock dlq redrive --all`."""
        self.redrives += 1
        process = self._process("operator")
        ports = services.dead_letters(self.world.seen_by(process), process.pause)

        def redrive_all() -> None:
            seen: set[RequestId | None] = set()
            with letters.looking(ports, letters.deployments(ports, None)) as found:
                for each in found:
                    if each.letter.request_id not in seen:
                        seen.add(each.letter.request_id)
                        letters.redrive(ports, each)

        self._invoke(process, redrive_all)

    def purge(self) -> None:
        """Let DynamoDB remove the rows whose time is up."""
        for row in self.world.requests.purge():
            self.ledger.purged(row)
        self.ledger.raise_if_broken()

    def _process(self, kind: str, skew_seconds: float = 0) -> SimulatedProcess:
        self._names += 1
        return self.simulation.process(f"{kind}-{self._names}", skew_seconds)

    def _invoke(self, process: SimulatedProcess, function: Callable[[], object]) -> None:
        def answer() -> None:
            # An error that the function is meant to raise is the answer that its caller hears. One
            # that nobody expects ends the invocation; its caller hears that too.
            with suppress(UnavailableError, CallerError, UnexpectedError):
                function()

        def ended(done: asyncio.Future[Any]) -> None:
            if process.is_alive:
                process.kill()
                done.result()

        process.start_call(answer).add_done_callback(ended)
        process.run_ready()

    def runnable(self) -> list[Turn]:
        """Return the calls that may be made now; an empty lane is polled until its poll ends."""
        return [
            turn
            for turn in self.simulation.turns
            if not turn.process.is_frozen
            and not turn.is_hung
            and (turn.is_due or self._would_answer(turn))
        ]

    def _would_answer(self, turn: Turn) -> bool:
        if turn.call.name != "queue.receive":
            return True
        return self.world.queue.has_visible(turn.call.kwargs["priority"])

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
        for turn in [each for each in self.simulation.turns if each.is_due and not each.is_hung]:
            if not turn.process.is_frozen:
                self.simulation.take(turn, Fate.DONE)
        self._look_around()

    def answer_model(self, call: ModelCall, answer: Answer | PenstockError) -> None:
        """Let a model server answer, or fail."""
        self.model_calls.remove(call)
        if isinstance(answer, Answer):
            call.answer.set_result(answer)
        else:
            did_answer = isinstance(answer, ModelFaultError) and answer.answer is not None
            story = self.ledger.stories[call.request_id]
            story.answered_faults += did_answer
            if isinstance(answer, ModelRefusedError) and self.max_batch_size == 1:
                story.refused_in_attempt = self.world.row(call.request_id).attempt
            call.answer.set_exception(answer)
        call.worker.run_ready()
        self._look_around()

    def lose_message(self, choice: int, *, is_dead_lettered: bool) -> None:
        """Take a message out of its lane; SQS keeps it as a dead letter, or it has passed away."""
        if (message := self.world.queue.lose(choice)) is None:
            return
        if is_dead_lettered:
            self.world.dead_letters.receive_moved(message.encoded())
        self.ledger.message_lost(message.request_id)

    def leave_dead_copy(self) -> None:
        """Let SQS give up on a copy of a message that waits, as of one that was sent twice."""
        if (message := self.world.queue.copy_of_any()) is not None:
            self.dead_copies += 1
            self.world.dead_letters.receive_moved(message.encoded())

    def close(self) -> None:
        """End all processes: nothing more is asked of them."""
        for process in list(self.simulation.processes):
            process.kill()

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
        self.thawed_at = self.simulation.time()
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
                if (error := worker.main.exception()) is not None:
                    self.ledger.broken.append(f"a dispatcher ended by itself: {error!r}")
        for worker in self.workers:
            if worker.readiness.must_restart and not worker.model.is_down:
                worker.model.restart()
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
        return [row for id_ in self.ledger.stories if (row := self.world.requests.find(id_))]
