"""Processes whose every call of a port waits for its turn, and the faults it may meet there."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast

from greenlet import getcurrent, greenlet

from penstock.adapters.in_memory import CrashError, FakeClock
from penstock.contracts.errors import UnavailableError
from tests.faults.simulation.loop import VirtualLoop

_Port = TypeVar("_Port")


class Fate(StrEnum):
    """What becomes of one call of a port."""

    DONE = "done"
    REFUSED = "refused"
    """AWS fails it: `UnavailableError`, no effect."""

    ANSWER_LOST = "answer lost"
    """It takes effect, but the caller hears `UnavailableError`."""

    SWALLOWED = "swallowed"
    """It seems to work and has no effect (SQS says so of deletes)."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    STALLED = "stalled"
    """Its process stops just before it, until it is thawed."""


FAULTS = tuple(fate for fate in Fate if fate is not Fate.DONE)


@dataclass(frozen=True)
class Call:
    """One call of a port, as whoever watches sees it."""

    process: str
    port: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    asked_at: datetime
    """When the process began it; it may have been stalled since."""

    @property
    def name(self) -> str:
        return f"{self.port}.{self.method}"


class Watcher(Protocol):
    """Sees every call that takes effect."""

    def before(self, call: Call) -> None: ...

    def after(self, call: Call, answer: object, error: Exception | None) -> None: ...


@dataclass(eq=False)
class Turn:
    """A process that waits to make a call."""

    process: "SimulatedProcess"
    call: Call
    effect: Callable[[], object]
    waiter: greenlet
    is_due: bool = False
    """Whether a long poll has waited as long as it may."""

    def end_poll(self) -> None:
        self.is_due = True


class SimulatedProcess:
    """A process of the stack: its own event loop, its own death."""

    def __init__(self, name: str, simulation: "Simulation") -> None:
        self.name = name
        self.simulation = simulation
        # typeshed declares methods abstract that no code here calls.
        self.loop = VirtualLoop(simulation.time)  # type: ignore[abstract]
        self.is_alive = True
        self.is_frozen = False

    def around(self, name: str, port: _Port) -> _Port:
        """Return `port` as this process sees it."""
        return cast("_Port", _SteppedPort(self, name, port))

    def run_ready(self) -> None:
        """Run all that can run, unless the process is stopped."""
        if not self.is_frozen:
            self.loop.run_ready()

    def start(self, main: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.loop.create_task(main)
        self.run_ready()
        return task

    def start_call(self, main: Callable[[], Any]) -> asyncio.Future[Any]:
        """Start a process that is one blocking function, as a Lambda is."""
        done = self.loop.run_in_executor(None, main)
        self.run_ready()
        return done

    def kill(self) -> None:
        """Die at once: nothing that this process still wanted to do happens."""
        self.is_alive = False
        self.simulation.forget(self)
        self.loop.cancel_all()

    def wait_for_turn(self, call: Call, effect: Callable[[], object]) -> object:
        if not self.is_alive:
            raise CrashError(call.name)
        waiter = getcurrent()
        turn = Turn(self, call, effect, waiter)
        self.simulation.turns.append(turn)
        if (poll_seconds := call.kwargs.get("wait_seconds")) is not None:
            self.loop.call_later(poll_seconds, turn.end_poll)
        if waiter.parent is None:
            raise AssertionError(f"{call.name} blocks the event loop")
        return waiter.parent.switch()


class _SteppedPort:
    def __init__(self, process: SimulatedProcess, name: str, port: object) -> None:
        self._process = process
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        attribute = getattr(self._port, method)

        def call(*args: Any, **kwargs: Any) -> object:
            now = self._process.simulation.clock()
            made = Call(self._process.name, self._name, method, args, kwargs, now)
            return self._process.wait_for_turn(made, lambda: attribute(*args, **kwargs))

        return call


@dataclass
class Simulation:
    """All processes, the clock they share, and the calls that wait for their turn."""

    clock: FakeClock
    watcher: Watcher
    processes: list[SimulatedProcess] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._epoch = self.clock()

    def time(self) -> float:
        return self.time_of(self.clock())

    def time_of(self, moment: datetime) -> float:
        return (moment - self._epoch).total_seconds()

    def process(self, name: str) -> SimulatedProcess:
        made = SimulatedProcess(name, self)
        self.processes.append(made)
        return made

    def take(self, turn: Turn, fate: Fate) -> None:
        """Let one call happen, or fail as `fate` says."""
        if fate is Fate.STALLED:
            turn.process.is_frozen = True
            return
        if fate is Fate.CRASH_BEFORE:
            turn.process.kill()
            return
        self.turns.remove(turn)
        answer: object = None
        error: Exception | None = None
        if fate is Fate.REFUSED:
            error = UnavailableError(turn.call.name, "refused by the simulation")
        elif fate is not Fate.SWALLOWED:
            answer, error = self._happen(turn)
        if fate is Fate.CRASH_AFTER:
            self.turns.append(turn)
            turn.process.kill()
            return
        if fate is Fate.ANSWER_LOST:
            error = UnavailableError(turn.call.name, "answer lost by the simulation")
        if error is None:
            turn.waiter.switch(answer)
        else:
            turn.waiter.throw(error)
        turn.process.run_ready()

    def _happen(self, turn: Turn) -> tuple[object, Exception | None]:
        self.watcher.before(turn.call)
        try:
            answer, error = turn.effect(), None
        except Exception as raised:  # noqa: BLE001 - it is the caller's
            answer, error = None, raised
        self.watcher.after(turn.call, answer, error)
        return answer, error

    def forget(self, process: SimulatedProcess) -> None:
        """Remove a dead process; its waiting calls unwind without effect."""
        self.processes.remove(process)
        dead = [turn for turn in self.turns if turn.process is process]
        self.turns = [turn for turn in self.turns if turn.process is not process]
        for turn in dead:
            turn.waiter.throw(CrashError(turn.call.name))

    def jump(self, seconds: float) -> None:
        """Let time pass at once, as when everything stalls."""
        self.clock.advance(seconds)
        self.run_ready()

    def advance_to_timer(self, until: float) -> bool:
        """Go to the next moment at which something happens by itself, or to `until`."""
        timers = [
            at
            for process in self.processes
            if not process.is_frozen and (at := process.loop.next_timer_at) is not None
        ]
        at = min([until, *timers])
        if at > self.time():
            self.clock.advance(at - self.time())
        self.run_ready()
        return at < until

    def run_ready(self) -> None:
        for process in list(self.processes):
            process.run_ready()
