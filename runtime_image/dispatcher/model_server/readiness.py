"""Whether the model server takes requests; nothing is received while it does not."""

import asyncio
import logging
from collections.abc import Callable

from runtime_image.dispatcher.model_server.server import ModelBusyError, ModelServer

logger = logging.getLogger(__name__)

_PROBE_SECONDS = 0.25
"""Between looks at a model server that is not ready."""

_WATCH_SECONDS = 5.0
"""Between looks at one that is."""


class Readiness:
    """The last known answer to that question."""

    def __init__(self, model_server: ModelServer) -> None:
        self._model_server = model_server
        self._ready = asyncio.Event()
        self._look = asyncio.Event()
        self._must_restart = False
        self._when_lost: Callable[[], None] = lambda: None
        self._when_down: Callable[[], None] = lambda: None

    @property
    def must_restart(self) -> bool:
        """Whether the model server still works on a call that was closed.

        Its liveness probe then fails, so that Kubernetes restarts it.
        """
        return self._must_restart

    def ask_restart(self) -> None:
        """Take the model server for lost until it was seen down."""
        self._must_restart = True
        self.doubt()

    @property
    def is_ready(self) -> bool:
        """Whether the last look found it ready."""
        return self._ready.is_set()

    async def wait(self) -> None:
        """Return once the model server is ready."""
        await self._ready.wait()

    def call_when_lost(self, call: Callable[[], None]) -> None:
        """Have `call` called whenever the model server is found not ready."""
        self._when_lost = call

    def call_when_down(self, call: Callable[[], None]) -> None:
        """Have `call` called whenever the model server was seen down: it has no calls any more."""
        self._when_down = call

    def doubt(self) -> None:
        """Look again before anything else is received."""
        self._lose()
        self._look.set()

    async def look(self) -> bool:
        """Look now; return whether the model server is ready."""
        try:
            is_up = await self._model_server.is_ready()
        except (TimeoutError, ModelBusyError):
            is_up = False  # it runs: if it is to be restarted, it still is
        else:
            if not is_up:
                self._must_restart = False
                self._when_down()
        if is_up and not self._must_restart:
            if not self._ready.is_set():
                logger.info("model server ready")
            self._ready.set()
        else:
            self._lose()
        return self.is_ready

    async def watch(self) -> None:
        """Keep looking, until cancelled."""
        while True:
            self._look.clear()
            await self.look()
            pause = _WATCH_SECONDS if self._ready.is_set() else _PROBE_SECONDS
            with_look = asyncio.create_task(self._look.wait())
            await asyncio.wait({with_look}, timeout=pause)
            with_look.cancel()

    def _lose(self) -> None:
        if self._ready.is_set():
            self._ready.clear()
            self._when_lost()
