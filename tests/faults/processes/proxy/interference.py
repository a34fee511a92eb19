"""What is done to calls between a process and AWS."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from tests.faults.processes.proxy.aws_calls import AwsCall, Step


class Fault(StrEnum):
    """What may happen to a call."""

    REFUSED = "refused"
    """The connection is closed before anything happened."""

    ANSWER_LOST = "answer lost"
    """The call took effect; the connection is closed instead of an answer."""

    DELAYED = "delayed"
    SERVER_ERROR = "server error"
    THROTTLED = "throttled"


class Side(StrEnum):
    """Where a call is held: before it takes effect, or after, before its answer is given."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(eq=False)
class Hold:
    """Stops the next call of one step until it is released."""

    step: Step
    side: Side
    reached: threading.Event = field(default_factory=threading.Event)
    passed: threading.Event = field(default_factory=threading.Event)
    """Set once the held call has its answer, or was dropped."""

    _caller: web.Request | None = None
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_waited_for(self) -> bool:
        """Whether the caller of the held call still waits for its answer."""
        return self._caller is not None and not is_gone(self._caller)

    async def stop(self, caller: web.Request) -> None:
        """Keep a call here."""
        self._caller = caller
        self.reached.set()
        await self._released.wait()

    def open(self) -> None:
        """Let it go on; to be called on the loop it waits on."""
        self._released.set()


def is_gone(caller: web.Request) -> bool:
    """Whether a caller has hung up, or died."""
    return caller.transport is None or caller.transport.is_closing()


@dataclass(eq=False)
class _Trouble:
    faults: tuple[Fault, ...]
    steps: frozenset[Step]
    share: float
    times: float


class Interference:
    """Decides over each call; told from one thread, asked on another."""

    def __init__(self, seed: int) -> None:
        self.injected: Counter[Fault] = Counter()
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._troubles: list[_Trouble] = []
        self._holds: list[Hold] = []

    def inject(
        self, *faults: Fault, steps: Collection[Step], share: float = 1, times: float = float("inf")
    ) -> None:
        """Let a share of the calls of some steps suffer one of `faults`."""
        self._troubles.append(_Trouble(faults, frozenset(steps), share, times))

    def calm(self) -> None:
        """Inject nothing more."""
        self._troubles.clear()

    def hold(self, step: Step, side: Side) -> Hold:
        """Hold the next call of a step; a receive counts only if it brings a message."""
        hold = Hold(step, side)
        self._holds.append(hold)
        return hold

    def fault_of(self, call: AwsCall) -> Fault | None:
        """Draw what happens to a call."""
        for trouble in self._troubles:
            if call.step in trouble.steps and self._random.random() < trouble.share:
                trouble.times -= 1
                if trouble.times <= 0:
                    self._troubles.remove(trouble)
                fault = self._random.choice(trouble.faults)
                self.injected[fault] += 1
                return fault
        return None

    @asynccontextmanager
    async def held(self, call: AwsCall, side: Side, caller: web.Request) -> AsyncIterator[None]:
        """Keep a call if it is to be held here; the block is what it does then."""
        hold = self._next_hold(call, side)
        if hold is None:
            yield
            return
        try:
            await hold.stop(caller)
            yield
        finally:
            hold.passed.set()

    def _next_hold(self, call: AwsCall, side: Side) -> Hold | None:
        if call.step is Step.RECEIVE and not call.request_ids:
            return None
        for hold in self._holds:
            if (hold.step, hold.side) == (call.step, side):
                self._holds.remove(hold)
                return hold
        return None
