"""The worker: one task per received message carries it from the queue to its end."""

import asyncio
import logging
from contextlib import closing
from dataclasses import dataclass

from penstock.contracts.errors import (
    InputUnreadableError,
    LeaseLostError,
    PenstockError,
    UnavailableError,
)
from penstock.contracts.outcome import Failed, Fault, FaultCode, Succeeded
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Announce, Drop, Run, Step, Wait
from runtime_image.dispatcher.callers_inputs import CallersInputs, LoadsTakenError
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.model_calls import ModelCalls
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
)
from runtime_image.dispatcher.observability.correlation import correlate
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.observability.tracing import NO_TRACING, Tracing
from runtime_image.dispatcher.persistence import CallersPlaces, End, persistently
from runtime_image.dispatcher.scheduling.gate import Gate, GateClosedError
from runtime_image.dispatcher.scheduling.holding import (
    Heartbeats,
    Held,
    Interruption,
    RequestInterruptedError,
)
from runtime_image.dispatcher.scheduling.tickets import Ticket
from runtime_image.dispatcher.settling import Settling

logger = logging.getLogger(__name__)

_BUSY_DELAY_SECONDS = 5.0
"""How long a request rests in the queue whose server is not ready."""

_INPUT_PATIENCE_SECONDS = 5.0
"""How long a claimed request waits for an input in its caller's bucket."""

_INPUT_REST_SECONDS = 5.0
_LONGEST_INPUT_REST_SECONDS = 600.0
_MOST_DOUBLINGS = 10
"""How long it then rests in the queue, longer each time it is received."""


class InputUnavailableError(PenstockError):
    """An input in its caller's bucket cannot be read now."""


_NotTaken = ModelBusyError | ModelRefusedError | InputUnavailableError | LoadsTakenError
_UNANSWERED = (
    ModelBusyError,
    ModelRefusedError,
    ModelFaultError,
    InputUnavailableError,
    LoadsTakenError,
)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Everything that happens to a message between its receive and its delete."""

    protocol: RequestProtocol
    settling: Settling
    heartbeats: Heartbeats
    gate: Gate
    model_calls: ModelCalls
    metrics: Metrics
    threads: Threads
    callers_places: CallersPlaces
    callers_inputs: CallersInputs
    tracing: Tracing = NO_TRACING

    async def carry(self, delivery: Delivery) -> None:
        """Bring one received message to its end, or leave it to come up again."""
        correlate(delivery.message)
        with self.tracing.delivery(delivery):
            await self._carry(delivery)

    async def _carry(self, delivery: Delivery) -> None:
        held = Held(delivery)
        ticket = self.gate.admit(delivery.priority)
        self.heartbeats.held.add(held)
        try:
            step = await self._step(held, ticket)
            held.is_decided = True
            self.gate.end(ticket)
            await self._settle(held, ticket, step)
        except LeaseLostError as lost:
            # Another worker has it: write nothing, delete nothing.
            logger.warning("lease lost", extra={"request_id": lost.request_id})
        except UnavailableError as error:
            # Untouched, the message comes up again when its visibility runs out.
            logger.warning("message left", extra=held.log_keys | {"reason": str(error)})
        except Exception:  # the worker outlives any one request
            logger.exception("message left after an unexpected error", extra=held.log_keys)
        finally:
            self.gate.leave(ticket)
            self.heartbeats.held.discard(held)

    async def _step(self, held: Held, ticket: Ticket) -> Step:
        if held.delivery.message.is_wake_up:
            return Drop()  # it made the queue longer; that was all
        try:
            await held.interruptibly(self.gate.to_deck(ticket))
            with self.tracing.step("claim"):
                step = await self._claim(held)
            if not isinstance(step, Run):
                return step
            held.request = step.request
            held.claimed_at = asyncio.get_running_loop().time()
            logger.info("request claimed", extra=held.log_keys)
            if step.may_be_done and not isinstance(step := await self._resume(held), Run):
                return step
            answer = await self._run(held, ticket)
        except (RequestInterruptedError, GateClosedError):
            return await self._interrupted(held)
        except _UNANSWERED as failure:
            return await self._unanswered(held, ticket, failure)
        with closing(answer):
            await asyncio.sleep(0)  # who has the slot now sends its call before we store
            return await self._succeed(held.claimed, ticket, answer)

    async def _claim(self, held: Held) -> Step:
        """Claim, and again under the same name: what took effect unheard costs no attempt."""
        claim = self.protocol.claim
        return await persistently(
            lambda: self.threads(claim, held.delivery, held.claim_id),
            for_seconds=self.protocol.lease_seconds / 3,
        )

    async def _resume(self, held: Held) -> Step:
        """Look for what a dead attempt left until our bucket answers; heartbeats keep the lease."""
        return await persistently(
            lambda: self.threads(self.protocol.resume, held.claimed), pause=held.pause
        )

    async def _run(self, held: Held, ticket: Ticket) -> Answer:
        with self.tracing.step("load"):
            payload = await self._load(held, ticket)
        with closing(payload):
            try:
                return await held.interruptibly(self._in_turn(held, ticket, payload))
            finally:
                held.is_answered = True

    async def _in_turn(self, held: Held, ticket: Ticket, payload: Loaded) -> Answer:
        """Wait for a slot and call the model: one task, so that a free slot is used at once."""
        await self.gate.to_slot(ticket)
        with self.tracing.step("predict", attempt=held.claimed.attempt):
            answer, ran_seconds = await self.model_calls.make(held, payload)
        self.gate.end(ticket, ran_seconds)  # the slot is free: storing overlaps the next call
        return answer

    async def _load(self, held: Held, ticket: Ticket) -> Loaded:
        delivery = held.delivery
        if delivery.message.inline_payload is not None:
            return self.protocol.load(delivery)  # it is here: nothing to wait for
        try:
            return await self._fetch(held, ticket)
        except InputUnreadableError as error:
            raise ModelFaultError(FaultCode.MODEL_INVALID_INPUT, str(error)) from error
        except OSError as error:
            raise ModelFaultError(
                FaultCode.INTERNAL_SERVER_ERROR, f"The input cannot be kept on disk: {error}."
            ) from error

    async def _fetch(self, held: Held, ticket: Ticket) -> Loaded:
        """Wait for our own bucket as long as it takes; for a caller's only a while."""
        load = self.protocol.load
        if self.protocol.is_own_input(held.delivery):
            return await persistently(lambda: self.threads(load, held.delivery), pause=held.pause)
        try:
            async with self.callers_inputs.turn(held.claimed.tenant, ticket) as threads:
                return await persistently(
                    lambda: threads(load, held.delivery),
                    for_seconds=_INPUT_PATIENCE_SECONDS,
                    pause=held.pause,
                )
        except UnavailableError as error:
            raise InputUnavailableError(str(error)) from error

    async def _interrupted(self, held: Held) -> Step:
        request = held.request
        logger.info("request interrupted", extra=held.log_keys | {"reason": held.interruption})
        if request is None:
            return Wait(0)
        if held.interruption is Interruption.LEASE_LOST:
            raise LeaseLostError(request.request_id, request.attempt)
        if held.interruption is Interruption.CANCELED:
            return await persistently(lambda: self.threads(self.protocol.cancel, request))
        return await self._give_back(request, 0)

    async def _give_back(self, request: AsyncRequest, delay_seconds: float) -> Step:
        return await persistently(
            lambda: self.threads(self.protocol.give_back, request, delay_seconds)
        )

    async def _unanswered(
        self,
        held: Held,
        ticket: Ticket,
        failure: _NotTaken | ModelFaultError,
    ) -> Step:
        request = held.claimed
        if isinstance(failure, ModelFaultError):
            return await self._fail(request, ticket, failure.fault, failure.answer)
        logger.info("request put back", extra=held.log_keys | {"reason": str(failure)})
        if isinstance(failure, InputUnavailableError):
            return await self._give_back(request, _input_rest_seconds(held.delivery))
        if isinstance(failure, ModelBusyError | LoadsTakenError):
            return await self._give_back(request, _BUSY_DELAY_SECONDS)
        self.gate.end(ticket)  # its slot is for others at once
        answer = failure.answer
        return await persistently(lambda: self.threads(self.protocol.put_back, request, answer))

    async def _succeed(self, request: AsyncRequest, ticket: Ticket, answer: Answer) -> Step:
        protocol, answered = self.protocol, (answer.body, answer.content_type, answer.http_status)
        with self.tracing.step("store"):
            if protocol.has_own_places(request):
                return await persistently(
                    lambda: self.threads(protocol.succeed, request, *answered)
                )
            end = await self.callers_places.insist(
                End(ticket, request.tenant, answer.size_bytes),
                lambda threads: threads(protocol.store, request, *answered),
                lambda threads: threads(protocol.give_up_place, request),
            )
            return await self._end(request, end)

    async def _fail(
        self, request: AsyncRequest, ticket: Ticket, fault: Fault, answer: ModelAnswer | None
    ) -> Step:
        self.metrics.count_failed_attempt(fault.code)
        logger.info(
            "attempt failed",
            extra={"request_id": request.request_id, "attempt": request.attempt}
            | {"code": fault.code},
        )
        with self.tracing.step("store", fault=fault.code):
            protocol = self.protocol
            if protocol.has_own_places(request) or protocol.tries_again(request, fault, answer):
                return await persistently(
                    lambda: self.threads(protocol.fail, request, fault, answer)
                )
            store = protocol.store_failure
            end = await self.callers_places.insist(
                End(ticket, request.tenant),
                lambda threads: threads(store, request, fault, answer),
                lambda _: self.threads(store, request.without_place, fault, answer),
            )
            return await self._end(request, end)

    async def _end(self, request: AsyncRequest, end: Succeeded | Failed) -> Step:
        """Write an end whose object is stored: the table is ours, and waited for."""
        return await persistently(lambda: self.threads(self.protocol.end, request, end))

    async def _settle(self, held: Held, ticket: Ticket, step: Step) -> None:
        with self.tracing.step("announce" if isinstance(step, Announce) else "put back"):
            await self.settling.settle(held.delivery, step, ticket, self.tracing.traceparent())
        if isinstance(step, Drop) and not held.delivery.message.is_wake_up:
            logger.warning("message without a request dropped", extra=held.log_keys)
        if isinstance(step, Announce) and held.request is not None:
            ended = step.request
            self.metrics.count_ended(ended.state)
            self.metrics.end_to_end.observe((ended.status_at - ended.created_at).total_seconds())
            logger.info("request ended", extra=held.log_keys | {"state": ended.state})


def _input_rest_seconds(delivery: Delivery) -> float:
    doublings = min(delivery.receive_count - 1, _MOST_DOUBLINGS)
    return min(_INPUT_REST_SECONDS * (1 << doublings), _LONGEST_INPUT_REST_SECONDS)
