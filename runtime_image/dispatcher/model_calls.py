"""Calls to the model server, for requests that have a slot."""

import asyncio
import logging
import time
from dataclasses import dataclass, field

from penstock.contracts.ports.clock import Clock
from penstock.contracts.request import AsyncRequest
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.batching import Batching
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
    ModelServer,
)
from runtime_image.dispatcher.observability.metrics import Metrics
from runtime_image.dispatcher.scheduling.holding import Held

logger = logging.getLogger(__name__)

_BUSY_PATIENCE_SECONDS = 30.0
"""How long a request stays in hand while the server is not ready."""

_BUSY_PAUSE_SECONDS = 1.0
"""Between tries of a server that does not listen, and how long a slot rests after the second
request in a row that the server refused: it would refuse all that wait, one after the other.
"""


@dataclass(kw_only=True)
class ModelCalls:
    """Makes one call per attempt; it may be interrupted."""

    model_server: ModelServer
    readiness: Readiness
    metrics: Metrics
    clock: Clock
    predict_timeout_seconds: float
    batching: Batching | None = None
    """Absent: one call for each request."""

    _refused_in_a_row: int = field(default=0, init=False)

    async def make(self, held: Held, payload: Loaded) -> tuple[Answer, float]:
        """Return the answer and how long the model took; runs inside `Held.interruptibly`.

        Raises:
            ModelRefusedError: the server is ready and did not take this request.
            ModelBusyError: the server has not been ready for a while.
            ModelFaultError: the attempt failed.
        """
        request = held.claimed
        if request.attempt == 1:
            waited = self.clock() - request.created_at
            self.metrics.observe_time_in_queue(waited.total_seconds())
        self.metrics.request_size.observe(payload.size_bytes)
        with self.metrics.in_flight.track_inprogress():
            answer, ran_seconds = await self._ask(held, payload)
        self.metrics.predict.observe(ran_seconds)
        self.metrics.response_size.observe(answer.size_bytes)
        return answer, ran_seconds

    async def _ask(self, held: Held, payload: Loaded) -> tuple[Answer, float]:
        """Ask a server again for a while that is not ready.

        The request keeps its slot meanwhile: nobody else could use it.
        """
        doubts = _Doubts(give_up_at=time.monotonic() + _BUSY_PATIENCE_SECONDS)
        while True:
            started = time.perf_counter()
            try:
                await self._until_ready(doubts.give_up_at)
                answer = await self._predict(held, payload, alone=doubts.goes_alone)
            except ModelRefusedError as refused:
                if not await self._asks_again(refused, doubts):
                    await self._rest()
                    raise
            except ModelBusyError as busy:
                logger.info("model server busy", extra=held.log_keys | {"reason": str(busy)})
                self.readiness.doubt()
                if time.monotonic() >= doubts.give_up_at:
                    raise
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            except ModelFaultError:
                self._refused_in_a_row = 0
                raise
            else:
                self._refused_in_a_row = 0
                return answer, time.perf_counter() - started

    async def _asks_again(self, refused: ModelRefusedError, doubts: "_Doubts") -> bool:
        """Whether the answer was not yet the server's own word to this very request."""
        is_ready = await self.readiness.look()
        if not is_ready and not doubts.was_not_ready:
            doubts.was_not_ready = True  # it said so to everybody: once it is ready, it may not
            return True
        if refused.is_shared:
            doubts.goes_alone = True
        return refused.is_shared

    async def _rest(self) -> None:
        self._refused_in_a_row += 1
        if self._refused_in_a_row > 1:
            await asyncio.sleep(_BUSY_PAUSE_SECONDS)

    async def _predict(self, held: Held, payload: Loaded, *, alone: bool) -> Answer:
        request, call = held.claimed, held.delivery.message.call
        limit = self._limit_of(request)
        if self.batching is not None:
            return await self.batching.predict(request, payload, call, limit, alone=alone)
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


@dataclass
class _Doubts:
    """What is known of a request that the server has not taken yet."""

    give_up_at: float
    was_not_ready: bool = False
    goes_alone: bool = False
