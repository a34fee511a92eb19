"""The worker: one task per received message carries it from the queue to its end."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from penstock.contracts.errors import LeaseLostError, UnavailableError
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import AsyncRequest
from penstock.protocol.request_protocol import RequestProtocol
from penstock.protocol.steps import Announce, Drop, Run, Step, Wait
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelServer,
)
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.scheduling.gate import Gate, GateClosedError, Ticket
from runtime_image.dispatcher.scheduling.holding import Heartbeats, Held, Interruption
from runtime_image.dispatcher.settling import Settling, persistently

logger = logging.getLogger(__name__)

_BUSY_PATIENCE_SECONDS = 30.0
"""How long a request stays in hand that the server does not take."""

_BUSY_PAUSE_SECONDS = 1.0
"""Between such tries."""

_BUSY_DELAY_SECONDS = 5.0
"""How long a request then rests in the queue; each return adds to its receive count."""


T = TypeVar("T")


class _InterruptedError(Exception):
    """The request in hand was stopped from outside; `Held.interruption` says why."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Everything that happens to a message between its receive and its delete."""

    protocol: RequestProtocol
    settling: Settling
    heartbeats: Heartbeats
    gate: Gate
    model_server: ModelServer
    readiness: Readiness
    metrics: Metrics
    threads: Threads
    predict_timeout_seconds: float
    restart_after_stop: bool

    async def carry(self, delivery: Delivery) -> None:
        """Bring one received message to its end, or leave it to come up again."""
        held = Held(delivery)
        ticket = self.gate.admit(delivery.priority)
        self.heartbeats.held.add(held)
        try:
            step = await self._step(held, ticket)
            self.gate.leave(ticket)
            await self._settle(held, step)
        except LeaseLostError as lost:
            # Another worker has it: write nothing, delete nothing.
            logger.warning("lease lost", extra={"request_id": lost.request_id})
        except UnavailableError as error:
            # Untouched, the message comes up again when its visibility runs out.
            logger.warning("message left", extra=_keys(held) | {"reason": str(error)})
        except Exception:  # the worker outlives any one request
            logger.exception("message left after an unexpected error", extra=_keys(held))
        finally:
            self.gate.leave(ticket)
            self.heartbeats.held.discard(held)

    async def _step(self, held: Held, ticket: Ticket) -> Step:
        try:
            await _interruptible(held, self.gate.to_deck(ticket))
            step = await self.threads(self.protocol.claim, held.delivery)
            if not isinstance(step, Run):
                return step
            held.request = step.request
            held.claimed_at = asyncio.get_running_loop().time()
            logger.info("request claimed", extra=_keys(held))
            loaded = await self.threads(self.protocol.load, held.delivery)
            payload = loaded.content if isinstance(loaded.content, bytes) else loaded.content.read()
            await _interruptible(held, self.gate.to_slot(ticket))
            answer = await self._run(held, ticket, payload)
        except (_InterruptedError, GateClosedError):
            return await self._interrupted(held)
        except ModelBusyError as busy:
            logger.info("request put back", extra=_keys(held) | {"reason": str(busy)})
            return await self._give_back(_claimed(held), _BUSY_DELAY_SECONDS)
        except ModelFaultError as failure:
            if failure.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT:
                self._reclaim_slot()
            return await self._fail(_claimed(held), failure.fault)
        request = _claimed(held)
        return await persistently(
            lambda: self.threads(self.protocol.succeed, request, answer.body, answer.content_type)
        )

    async def _run(self, held: Held, ticket: Ticket, payload: bytes) -> Answer:
        request = _claimed(held)
        if request.attempt == 1:
            waited = self.protocol.clock() - request.created_at
            self.metrics.time_in_queue.observe(waited.total_seconds())
        self.metrics.request_size.observe(len(payload))
        with self.metrics.in_flight.track_inprogress():
            try:
                answer, ran_seconds = await _interruptible(held, self._predict(held, payload))
            except _InterruptedError:
                if held.interruption in {Interruption.CANCELED, Interruption.LEASE_LOST}:
                    self._reclaim_slot()
                raise
        self.gate.leave(ticket, ran_seconds)  # the slot is free: storing overlaps the next call
        self.metrics.predict.observe(ran_seconds)
        self.metrics.response_size.observe(len(answer.body))
        return answer

    async def _predict(self, held: Held, payload: bytes) -> tuple[Answer, float]:
        """Return the answer and how long the model took.

        A server that does not take the request is asked again for a while; the request keeps its
        slot meanwhile, which is the backpressure.
        """
        request = _claimed(held)
        limit = self.predict_timeout_seconds
        if request.predict_timeout_seconds is not None:
            limit = min(limit, request.predict_timeout_seconds)
        content_type = held.delivery.message.content_type
        give_up_at = time.monotonic() + _BUSY_PATIENCE_SECONDS
        while True:
            started = time.perf_counter()
            try:
                await self._until_ready(give_up_at)
                held.is_running = True
                answer = await self.model_server.predict(
                    request.request_id, payload, content_type, limit
                )
            except ModelBusyError as busy:
                logger.info("model server busy", extra=_keys(held) | {"reason": str(busy)})
                self.readiness.doubt()
                if time.monotonic() >= give_up_at:
                    raise
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            else:
                return answer, time.perf_counter() - started
            finally:
                held.is_running = False

    def _reclaim_slot(self) -> None:
        """Have a server restarted that works on after its call was closed.

        What else runs there is given back: that attempt does not count.
        """
        if not self.restart_after_stop:
            return
        logger.warning("model server is restarted after a closed call")
        self.readiness.ask_restart()
        for other in list(self.heartbeats.held):
            if other.is_running:
                other.interrupt(Interruption.RESTARTED)

    async def _until_ready(self, give_up_at: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, give_up_at - time.monotonic())):
                await self.readiness.wait()
        except TimeoutError as error:
            raise ModelBusyError("the model server is not ready") from error

    async def _interrupted(self, held: Held) -> Step:
        request = held.request
        logger.info("request interrupted", extra=_keys(held) | {"reason": held.interruption})
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

    async def _fail(self, request: AsyncRequest, fault: Fault) -> Step:
        self.metrics.count_failed_attempt(fault.code)
        logger.info(
            "attempt failed",
            extra={"request_id": request.request_id, "attempt": request.attempt}
            | {"code": fault.code},
        )
        return await persistently(lambda: self.threads(self.protocol.fail, request, fault))

    async def _settle(self, held: Held, step: Step) -> None:
        await self.settling.settle(held.delivery, step)
        if isinstance(step, Drop):
            logger.warning("message without a request dropped", extra=_keys(held))
        if isinstance(step, Announce) and held.request is not None:
            ended = step.request
            self.metrics.count_ended(ended.state)
            self.metrics.end_to_end.observe((ended.status_at - ended.created_at).total_seconds())
            logger.info("request ended", extra=_keys(held) | {"state": ended.state})


async def _interruptible(held: Held, wait: Coroutine[Any, Any, T]) -> T:
    """Await what `held` may be interrupted in."""
    waits: asyncio.Future[T] = asyncio.ensure_future(wait)
    held.waits = waits
    try:
        return await waits
    except asyncio.CancelledError:
        waits.cancel()
        if held.interruption is None:
            raise  # the process itself ends
        raise _InterruptedError from None


def _claimed(held: Held) -> AsyncRequest:
    if held.request is None:
        raise AssertionError("only a claimed request reaches the model server")
    return held.request


def _keys(held: Held) -> dict[str, object]:
    keys: dict[str, object] = {"request_id": held.delivery.message.request_id}
    return keys | ({"attempt": held.request.attempt} if held.request else {})
