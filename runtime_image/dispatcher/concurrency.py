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


class Threads:
    """Runs blocking calls in threads of its own, so that one kind cannot starve another."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def __call__(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `call` returns."""
        loop = asyncio.get_running_loop()
        # With the context, so that what is logged there says which request it concerns.
        run = partial(copy_context().run, call, *args, **kwargs)
        return await loop.run_in_executor(self._pool, run)

    def close(self) -> None:
        """Let running calls end and take no more."""
        self._pool.shutdown(wait=True)


class Batcher(Generic[T]):
    """Sends items in batches without waiting for a batch to fill.

    While one batch is on its way, what arrives gathers for the next; an idle worker sends at once.
    """

    def __init__(
        self, send: Callable[[Sequence[T]], Awaitable[None]], *, limit: int = 10, flights: int = 2
    ) -> None:
        self._send = send
        self._limit = limit
        self._flights = flights
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._flying: set[asyncio.Task[None] | None] = set()

    async def __call__(self, item: T) -> None:
        """Return when a batch with `item` was sent; raise what sending raised."""
        sent = asyncio.get_running_loop().create_future()
        self._waiting.append((item, sent))
        if len(self._flying) < self._flights:
            # Without the context: a batch is not the first item's alone.
            self._flying.add(asyncio.create_task(self._fly(), context=Context()))
        await sent

    async def _fly(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
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
        self._flying.discard(asyncio.current_task())
