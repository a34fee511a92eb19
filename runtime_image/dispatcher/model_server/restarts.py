"""Restarts of a model server that works on after its call was closed."""

import asyncio
import logging
from collections.abc import Callable

from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.readiness import Readiness
from runtime_image.dispatcher.model_server.server import Answer, ModelFaultError, ModelServer

logger = logging.getLogger(__name__)

_LULL_SECONDS = 60.0
"""How long a closed call waits for a moment in which no other runs; then nothing more starts."""

_PAUSE_SECONDS = 300.0
"""Between two restarts, as long as any slot is still of use."""


class Restarts:
    """`ModelServer` that is restarted when a call was closed before it was answered.

    The server may go on with such a call, so its slot is withheld until the server was seen down.
    Nobody else's call is broken off: the restart waits until none runs. If that does not happen
    by itself within a minute, nothing more starts, and those that run end within their own time.
    """

    def __init__(self, model_server: ModelServer, readiness: Readiness, slots: int) -> None:
        self._model_server = model_server
        self._readiness = readiness
        self._slots = slots
        self._running = 0
        self._closed = 0
        self._is_draining = False
        self._earliest_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._when_changed: Callable[[], None] = lambda: None
        readiness.call_when_down(self._forget)

    def withheld(self) -> int:
        """Return how many slots must not be used now."""
        return self._slots if self._is_draining else min(self._closed, self._slots)

    def call_when_changed(self, call: Callable[[], None]) -> None:
        """Have `call` called whenever `withheld` may have changed."""
        self._when_changed = call

    async def is_ready(self) -> bool:
        """Whether requests would be taken now; see `ModelServer.is_ready`."""
        return await self._model_server.is_ready()

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        """Run the model once; see `ModelServer.predict`."""
        self._running += 1
        try:
            return await self._model_server.predict(request_id, payload, call, timeout_seconds)
        except asyncio.CancelledError:
            self._closed += 1
            raise
        except ModelFaultError as failure:
            self._closed += failure.is_overrun
            raise
        finally:
            self._running -= 1
            self._decide()

    def _decide(self) -> None:
        if not self._closed or self._readiness.must_restart:
            return
        now = asyncio.get_running_loop().time()
        may_restart = now >= self._earliest_at or self._closed >= self._slots
        if may_restart and not self._running:
            logger.warning("model server is restarted", extra={"closed_calls": self._closed})
            self._earliest_at = now + _PAUSE_SECONDS
            self._readiness.ask_restart()
        elif self._timer is None:
            drains_at = max(now + _LULL_SECONDS, self._earliest_at)
            self._timer = asyncio.get_running_loop().call_at(drains_at, self._drain)
        self._when_changed()

    def _drain(self) -> None:
        self._is_draining = True
        self._earliest_at = 0.0
        self._decide()

    def _forget(self) -> None:
        """Start anew: a server that is down has no calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._closed = 0
        self._is_draining = False
        self._when_changed()
