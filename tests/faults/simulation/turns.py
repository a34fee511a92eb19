"""Processes whose every call of a port waits for its turn, and the faults it may meet there."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from greenlet import getcurrent, greenlet

from penstock.adapters.in_memory import CrashError, FakeClock
from penstock.contracts.errors import UnavailableError
from tests.faults.simulation.fates import (
    HANG_SECONDS,
    Fate,
    UnexpectedError,
    as_sent,
    partly,
    swallowed,
)
from tests.faults.simulation.loop import VirtualLoop

_Port = TypeVar("_Port")


@dataclass(frozen=True)
class Call:
    """One call of a port, as whoever watches sees it."""

    process: str
    port: str
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    asked_at: datetime
    """When the process began it, by its own clock; it may have been stalled since."""

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
    effect: Callable[..., object]
    """Takes the arguments of the call."""

    waiter: greenlet
    is_due: bool = False
    """Whether a long poll has waited as long as it may."""

    is_hung: bool = False
    """Whether it waits for its time-out, and nothing else becomes of it."""

    def end_poll(self) -> None:
        self.is_due = True


class SimulatedProcess:
    """A process of the stack: its own event loop, its own death."""

    def __init__(self, name: str, simulation: "Simulation", skew_seconds: float) -> None:
        self.name = name
        self._skew = timedelta(seconds=skew_seconds)
        self.simulation = simulation
        # typeshed declares methods abstract that no code here calls.
        self.loop = VirtualLoop(simulation.time)  # type: ignore[abstract]
        self.is_alive = True
        self.is_frozen = False
        self.calls = 0
        self._pausing: list[greenlet] = []
        self._asked_at: datetime | None = None

    def clock(self) -> datetime:
        """Return the time as this machine has it."""
        return self._asked_at or self.simulation.clock() + self._skew

    @contextmanager
    def as_asked(self, call: Call) -> Iterator[None]:
        """Let a call that takes effect late carry the time at which it was made."""
        self._asked_at = call.asked_at
        try:
            yield
        finally:
            self._asked_at = None

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
        while self._pausing:
            self._pausing.pop().throw(CrashError("a pause"))

    def pause(self, seconds: float) -> None:
        """Let one blocking function wait, as by `time.sleep`."""
        waiter = getcurrent()
        self._pausing.append(waiter)
        self.loop.call_later(seconds, self._go_on, waiter)
        _give_way(waiter, "a pause")

    def _go_on(self, waiter: greenlet) -> None:
        self._pausing.remove(waiter)
        waiter.switch()

    def wait_for_turn(self, call: Call, effect: Callable[..., object]) -> object:
        if not self.is_alive:
            raise CrashError(call.name)
        self.calls += 1
        waiter = getcurrent()
        turn = Turn(self, call, effect, waiter)
        self.simulation.turns.append(turn)
        if (poll_seconds := call.kwargs.get("wait_seconds")) is not None:
            self.loop.call_later(poll_seconds, turn.end_poll)
        return _give_way(waiter, call.name)


def _give_way(waiter: greenlet, why: str) -> object:
    """Let others go on until somebody switches to `waiter`, which is who asks."""
    if waiter.parent is None:
        raise AssertionError(f"{why} blocks the event loop")
    return waiter.parent.switch()


class _SteppedPort:
    def __init__(self, process: SimulatedProcess, name: str, port: object) -> None:
        self._process = process
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        attribute = getattr(self._port, method)
        if not callable(attribute):
            return attribute

        def call(*args: Any, **kwargs: Any) -> object:
            now = self._process.clock()
            made = Call(self._process.name, self._name, method, args, kwargs, now)
            return self._process.wait_for_turn(made, attribute)

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

    def process(self, name: str, skew_seconds: float = 0) -> SimulatedProcess:
        made = SimulatedProcess(name, self, skew_seconds)
        self.processes.append(made)
        return made

    def take(self, turn: Turn, fate: Fate) -> None:
        """Let one call happen, or fail as `fate` says."""
        match fate:
            case Fate.STALLED:
                turn.process.is_frozen = True
            case Fate.CRASH_BEFORE:
                turn.process.kill()
            case Fate.CRASH_AFTER:
                self.turns.remove(turn)
                self._happen(turn, fate)
                self.turns.append(turn)
                turn.process.kill()
            case Fate.HUNG:
                turn.is_hung = True
                turn.process.loop.call_later(HANG_SECONDS, self._time_out, turn)
            case _:
                self.turns.remove(turn)
                self._answer(turn, *self._outcome(turn, fate))

    def _outcome(self, turn: Turn, fate: Fate) -> tuple[object, Exception | None]:
        """Return what the caller hears, having done what is done."""
        name = turn.call.name
        match fate:
            case Fate.REFUSED:
                return None, UnavailableError(name, "refused by the simulation")
            case Fate.UNEXPECTED:
                return None, UnexpectedError(f"{name}: an error of the simulation")
            case Fate.SWALLOWED:
                return swallowed(name), None
            case Fate.ANSWER_LOST:
                self._happen(turn, fate)
                return None, UnavailableError(name, "answer lost by the simulation")
            case _:
                return self._happen(turn, fate)

    def _time_out(self, turn: Turn) -> None:
        if turn in self.turns:
            self.turns.remove(turn)
            turn.waiter.throw(UnavailableError(turn.call.name, "timed out in the simulation"))

    def _answer(self, turn: Turn, answer: object, error: Exception | None) -> None:
        if error is None:
            turn.waiter.switch(answer)
        else:
            turn.waiter.throw(error)
        turn.process.run_ready()

    def _happen(self, turn: Turn, fate: Fate) -> tuple[object, Exception | None]:
        if fate is Fate.PARTIAL:
            items, *others = turn.call.args

            def half(some: Sequence[Any]) -> object:
                part = replace(turn.call, args=(some, *others))
                answer, error = self._seen(part, turn)
                if error is not None:
                    raise error
                return answer

            try:
                return partly(turn.call.name, items, half), None
            except Exception as raised:  # noqa: BLE001 - it is the caller's
                return None, raised
        if fate is not Fate.REPEATED:
            return self._seen(turn.call, turn)
        sent = as_sent(turn.call.name, turn.call.kwargs)
        repeated = replace(turn.call, kwargs=sent)
        self._seen(repeated, turn)
        return self._seen(repeated, turn)

    def _seen(self, call: Call, turn: Turn) -> tuple[object, Exception | None]:
        self.watcher.before(call)
        try:
            with turn.process.as_asked(call):
                answer, error = turn.effect(*call.args, **call.kwargs), None
        except Exception as raised:  # noqa: BLE001 - it is the caller's
            answer, error = None, raised
        self.watcher.after(call, answer, error)
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
