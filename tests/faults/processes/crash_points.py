"""One worker with a request at every step of the protocol, struck by one signal."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from penstock.contracts.request import AsyncRequest
from tests.e2e.stack import wait_until
from tests.faults.processes.faulty_stack import (
    DISPATCHER,
    LEASE_SECONDS,
    MODEL_SERVER,
    FaultyStack,
)
from tests.faults.processes.proxy.aws_calls import Step
from tests.faults.processes.proxy.interference import Hold, Side

MODEL = "points"
_SETTLED_SECONDS = 60.0
_PARKED_SECONDS = 20.0
TOO_LARGE_FOR_A_MESSAGE = "x" * 210_000


@dataclass(frozen=True)
class Point:
    """Where in the protocol a request is; with no step, it is at the model."""

    step: Step | None = None
    side: Side | None = None

    def __str__(self) -> str:
        return f"{self.side} {self.step}" if self.step else "at the model"


AT_THE_MODEL = Point()
BEFORE_THE_RESULT_IS_STORED = (
    Point(Step.RECEIVE, Side.AFTER),
    *(Point(step, side) for step in (Step.CLAIM, Step.LOAD) for side in Side),
    AT_THE_MODEL,
    Point(Step.STORE, Side.BEFORE),
)
ONCE_THE_RESULT_IS_STORED = (
    Point(Step.STORE, Side.AFTER),
    *(
        Point(step, side)
        for step in (Step.FINISH, Step.PUBLISH, Step.MARK, Step.DELETE)
        for side in Side
    ),
)
POINTS = (*BEFORE_THE_RESULT_IS_STORED, *ONCE_THE_RESULT_IS_STORED)


@dataclass(frozen=True)
class Blow:
    """Which process gets which signal."""

    container: str
    signal: signal.Signals

    def __str__(self) -> str:
        return f"{self.signal.name} to the {self.container}"


BLOWS = tuple(
    Blow(container, number)
    for container in (DISPATCHER, MODEL_SERVER)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
)


@dataclass(frozen=True)
class Episode:
    """A worker that was struck, and everything that came of it."""

    blow: Blow
    struck_at: float
    requests: Mapping[Point, str]


@dataclass(frozen=True)
class _Scene:
    """A worker with a request parked at every point."""

    faulty: FaultyStack
    worker: Mapping[str, psutil.Process]
    go: Path
    """Calls at the model end once this file is there."""

    requests: dict[Point, str]
    holds: list[Hold]

    def release(self) -> None:
        for hold in self.holds:
            self.faulty.proxy.release(hold)

    def rows(self) -> list[AsyncRequest]:
        return [self.faulty.row(request_id) for request_id in self.requests.values()]

    def is_told(self) -> bool:
        return all(row.notified_at for row in self.rows())

    def wait_until_told(self) -> None:
        wait_until(self.is_told, _SETTLED_SECONDS, "every request to end and be announced")


def strike(faulty: FaultyStack, blow: Blow) -> Episode:
    """Park a request at every point, strike, and wait until all have come to their end."""
    scene = _parked(faulty, faulty.folder / f"go-{blow}")
    assert all(hold.is_waited_for for hold in scene.holds), "the machine is too slow to hold calls"
    struck_at = time.time()
    struck = scene.worker[blow.container]
    struck.send_signal(blow.signal)
    _AFTERMATHS[blow](scene)
    scene.wait_until_told()
    wait_until(lambda: not faulty.messages(MODEL), _SETTLED_SECONDS, "the lanes to be empty")
    if blow.signal is not signal.SIGSTOP:
        # A drain may outlast its requests; the next blow must not meet a process on its way out.
        psutil.wait_procs([struck], timeout=_SETTLED_SECONDS)
    return Episode(blow, struck_at, scene.requests)


def _parked(faulty: FaultyStack, go: Path) -> _Scene:
    scene = _Scene(faulty, faulty.ready_worker(MODEL), go, {}, [])
    # The last step first, so that who is parked already does not reach the next one's hold.
    for point in reversed(POINTS):
        if point.step is None or point.side is None:
            scene.requests[point] = _parked_at_the_model(scene)
        else:
            hold = faulty.proxy.hold(point.step, point.side)
            filler = TOO_LARGE_FOR_A_MESSAGE if point.step is Step.LOAD else ""
            wishes = {"label": str(point), "filler": filler}
            scene.requests[point] = faulty.stack.submit(MODEL, wishes)
            assert hold.reached.wait(_PARKED_SECONDS), f"no request came {point}"
            scene.holds.append(hold)
    return scene


def _parked_at_the_model(scene: _Scene) -> str:
    wishes = {"label": str(AT_THE_MODEL), "until": str(scene.go)}
    request_id = scene.faulty.stack.submit(MODEL, wishes)
    scene.faulty.wait_for_start(request_id)
    return request_id


def _dispatcher_dies(scene: _Scene) -> None:
    wait_until(
        lambda: not any(hold.is_waited_for for hold in scene.holds),
        _PARKED_SECONDS,
        "the connections of the dead to close",
    )
    scene.release()
    scene.go.touch()


def _dispatcher_drains(scene: _Scene) -> None:
    scene.release()
    scene.worker[DISPATCHER].wait(_SETTLED_SECONDS)
    scene.go.touch()


def _dispatcher_freezes(scene: _Scene) -> None:
    frozen = scene.worker[DISPATCHER]
    scene.go.touch()
    with scene.faulty.second_dispatcher(frozen):
        scene.wait_until_told()
        frozen.send_signal(signal.SIGCONT)
        scene.release()
        for hold in scene.holds:
            assert hold.passed.wait(_PARKED_SECONDS)
        # A drain ends when nothing is left in hand: the zombie has then tried all it would.
        frozen.send_signal(signal.SIGTERM)
        frozen.wait(_SETTLED_SECONDS)


def _model_server_goes(scene: _Scene) -> None:
    scene.release()
    scene.go.touch()


def _model_server_freezes(scene: _Scene) -> None:
    scene.release()
    scene.go.touch()
    frozen_at = time.time()

    def is_outlasted() -> bool:
        lease_until = scene.faulty.row(scene.requests[AT_THE_MODEL]).lease_until
        return lease_until is not None and lease_until.timestamp() > frozen_at + 2 * LEASE_SECONDS

    wait_until(is_outlasted, _SETTLED_SECONDS, "heartbeats while the model server is frozen")
    scene.worker[MODEL_SERVER].send_signal(signal.SIGCONT)


_AFTERMATHS: Mapping[Blow, Callable[[_Scene], None]] = {
    Blow(DISPATCHER, signal.SIGKILL): _dispatcher_dies,
    Blow(DISPATCHER, signal.SIGTERM): _dispatcher_drains,
    Blow(DISPATCHER, signal.SIGSTOP): _dispatcher_freezes,
    Blow(MODEL_SERVER, signal.SIGKILL): _model_server_goes,
    Blow(MODEL_SERVER, signal.SIGTERM): _model_server_goes,
    Blow(MODEL_SERVER, signal.SIGSTOP): _model_server_freezes,
}
