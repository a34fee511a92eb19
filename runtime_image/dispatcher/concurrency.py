"""Blocking calls beside the event loop, and single calls gathered into batch calls."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


_SHORT_SECONDS = 0.05
"""A call that lasts longer waits for somebody else: it takes no turn from the others."""


class Threads:
    """Runs blocking calls in threads of its own, so that one kind cannot starve another.

    Short calls take turns in one interpreter: the more run at once, the more CPU each costs.
    `short` limits them; a call that lasts, or hangs, leaves its turn to the next.
    """

    def __init__(self, name: str, count: int, *, short: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._turns = asyncio.Semaphore(count if short is None else short)

    async def __call__(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `call` returns."""
        loop = asyncio.get_running_loop()
        # With the context, so that what is logged there says which request it concerns.
        run = partial(copy_context().run, call, *args, **kwargs)
        await self._turns.acquire()
        lasts = loop.call_later(_SHORT_SECONDS, self._turns.release)
        try:
            return await loop.run_in_executor(self._pool, run)
        finally:
            if loop.time() < lasts.when():
                lasts.cancel()
                self._turns.release()

    def close(self) -> None:
        """Let running calls end and take no more."""
        self._pool.shutdown(wait=True)


class Batcher(Generic[T]):
    """Sends items in batches; one that nothing follows is sent at once.

    While more is in hand than has come here, an item waits a moment for the next. What arrives
    while batches are on their way gathers for the next flight.
    """

    def __init__(
        self,
        send: Callable[[Sequence[T]], Awaitable[None]],
        *,
        in_hand: Callable[[], int] = lambda: 0,
        linger_seconds: float = 0.05,
        limit: int = 10,
        flights: int = 2,
    ) -> None:
        self._send = send
        self._in_hand = in_hand
        self._linger_seconds = linger_seconds
        self._limit = limit
        self._flights = flights
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._flying: dict[asyncio.Task[None] | None, int] = {}
        """How many items each flight carries."""

        self._departure: asyncio.TimerHandle | None = None

    async def __call__(self, item: T) -> None:
        """Return when a batch with `item` was sent; raise what sending raised."""
        sent = asyncio.get_running_loop().create_future()
        self._waiting.append((item, sent))
        self._depart_or_linger()
        await sent

    def _depart_or_linger(self) -> None:
        while self._waiting and len(self._flying) < self._flights:
            if len(self._waiting) >= self._limit or not self._expects_more():
                self._depart()
                continue
            if self._departure is None:
                loop = asyncio.get_running_loop()
                self._departure = loop.call_later(self._linger_seconds, self._depart)
            return

    def _expects_more(self) -> bool:
        return self._in_hand() > len(self._waiting) + sum(self._flying.values())

    def _depart(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None
        if not self._waiting or len(self._flying) >= self._flights:
            return  # the next landing looks again: it may linger once more
        batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
        # Without the context: a batch is not the first item's alone.
        flight = asyncio.create_task(self._fly(batch), context=Context())
        self._flying[flight] = len(batch)

    async def _fly(self, batch: list[tuple[T, "asyncio.Future[None]"]]) -> None:
        try:
            await self._send([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to each caller, who decides
            for _, sent in batch:
                if not sent.done():
                    sent.set_exception(error)
        else:
            for _, sent in batch:
                if not sent.done():
                    sent.set_result(None)
        # Here, not in a callback: what comes before that would find no flight free, and wait.
        del self._flying[asyncio.current_task()]
        self._depart_or_linger()
