"""Calls to the model server, for requests that have a slot."""

import asyncio
import logging
import time
from dataclasses import dataclass

from penstock.contracts.outcome import FaultCode
from penstock.contracts.ports.clock import Clock
from penstock.contracts.request import AsyncRequest
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.batching import Batching
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelServer,
)
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.scheduling.holding import (
    Heartbeats,
    Held,
    Interruption,
)

logger = logging.getLogger(__name__)

_BUSY_PATIENCE_SECONDS = 30.0
"""How long a request stays in hand that the server does not take."""

_BUSY_PAUSE_SECONDS = 1.0
"""Between such tries."""


@dataclass(frozen=True, kw_only=True)
class ModelCalls:
    """Makes one call per attempt; it may be interrupted, and can take its server with it."""

    model_server: ModelServer
    readiness: Readiness
    heartbeats: Heartbeats
    metrics: Metrics
    clock: Clock
    predict_timeout_seconds: float
    restart_after_stop: bool
    batching: Batching | None = None
    """Absent: one call for each request."""

    async def make(self, held: Held, payload: Loaded) -> tuple[Answer, float]:
        """Return the answer and how long the model took; runs inside `Held.interruptibly`.

        Raises:
            ModelBusyError: the server has not taken the request for a while.
            ModelFaultError: the attempt failed.
        """
        request = held.claimed
        if request.attempt == 1:
            waited = self.clock() - request.created_at
            self.metrics.observe_time_in_queue(waited.total_seconds())
        self.metrics.request_size.observe(payload.size_bytes)
        with self.metrics.in_flight.track_inprogress():
            try:
                answer, ran_seconds = await self._ask(held, payload)
            except asyncio.CancelledError:
                if held.interruption in {Interruption.CANCELED, Interruption.LEASE_LOST}:
                    self._reclaim_slot()
                raise
            except ModelFaultError as failure:
                if failure.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT:
                    self._reclaim_slot()
                raise
        self.metrics.predict.observe(ran_seconds)
        self.metrics.response_size.observe(answer.size_bytes)
        return answer, ran_seconds

    async def _ask(self, held: Held, payload: Loaded) -> tuple[Answer, float]:
        """Ask a server again for a while that does not take the request.

        It keeps its slot meanwhile, which is the backpressure.
        """
        give_up_at = time.monotonic() + _BUSY_PATIENCE_SECONDS
        while True:
            started = time.perf_counter()
            try:
                await self._until_ready(give_up_at)
                held.is_running = True
                answer = await self._predict(held, payload)
            except ModelBusyError as busy:
                logger.info("model server busy", extra=held.log_keys | {"reason": str(busy)})
                self.readiness.doubt()
                if time.monotonic() >= give_up_at:
                    raise
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            else:
                return answer, time.perf_counter() - started
            finally:
                held.is_running = False

    async def _predict(self, held: Held, payload: Loaded) -> Answer:
        request, call = held.claimed, held.delivery.message.call
        limit = self._limit_of(request)
        if self.batching is not None:
            return await self.batching.predict(request, payload, call, limit)
        return await self.model_server.predict(request.request_id, payload, call, limit)

    def _limit_of(self, request: AsyncRequest) -> float:
        wished = request.predict_timeout_seconds
        return min(self.predict_timeout_seconds, wished or self.predict_timeout_seconds)

    async def _until_ready(self, give_up_at: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, give_up_at - time.monotonic())):
                await self.readiness.wait()
        except TimeoutError as error:
            raise ModelBusyError("the model server is not ready") from error

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
