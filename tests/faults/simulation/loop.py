"""An event loop whose time is a simulation's and whose threads are greenlets.

What a real loop hands to a thread runs here until it calls a port; there it waits for its turn.
So the order of all port calls of all processes is the simulation's choice, and repeatable.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from typing import Any, TypeVarTuple

from greenlet import greenlet

_Args = TypeVarTuple("_Args")

_RESOLUTION = 2e-6
"""The clock counts whole microseconds, timers do not."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """The event loop of one simulated process."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._order = count()
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self.errors: list[BaseException] = []
        """What nobody awaited."""

    @property
    def next_timer_at(self) -> float | None:
        """When something is to happen by itself."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def run_ready(self) -> None:
        """Run all that can run without waiting for time or for a turn."""
        # `asyncio` exports these two for writers of event loops.
        outer = asyncio._get_running_loop()  # noqa: SLF001 - see above
        asyncio._set_running_loop(self)  # noqa: SLF001 - see above
        try:
            while True:
                while (at := self.next_timer_at) is not None and at <= self._time() + _RESOLUTION:
                    self._ready.append(heapq.heappop(self._timers)[2])
                if not self._ready:
                    return
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001 - an event loop runs handles
        finally:
            asyncio._set_running_loop(outer)  # noqa: SLF001 - see above

    def cancel_all(self) -> None:
        """Cancel every task and timer: the process is dead."""
        self._timers.clear()
        for task in list(self._tasks):
            task.cancel()
        self.run_ready()

    def time(self) -> float:
        return self._time()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(
        self,
        callback: Callable[[*_Args], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Args], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Args], object],
        *args: *_Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._time() + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: cancelled timers are skipped when they are due."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context.get("exception") or RuntimeError(context["message"]))

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any],  # type: ignore[override]  # typeshed also takes generators
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    def run_in_executor(  # type: ignore[override]  # typeshed's is overloaded for 3.13
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done = self.create_future()

        def body() -> None:
            try:
                answer = func(*args)
            except BaseException as error:  # noqa: BLE001 - as a thread pool does
                if not done.done():
                    done.set_exception(error)
            else:
                if not done.done():
                    done.set_result(answer)

        self.call_soon(greenlet(body).switch)
        return done
