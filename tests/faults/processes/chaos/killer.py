"""Kills a process of a random worker, again and again."""

import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Self

import psutil

from penstock.local.state import PodStatus
from tests.faults.processes.faulty_stack import DISPATCHER, MODEL_SERVER, FaultyStack

_BLOWS = (
    (DISPATCHER, signal.SIGKILL),
    (DISPATCHER, signal.SIGKILL),
    (DISPATCHER, signal.SIGTERM),
    (MODEL_SERVER, signal.SIGKILL),
)


@dataclass(frozen=True)
class Kill:
    """One signal that hit."""

    at: float
    """Seconds since 1970."""

    signal: signal.Signals
    running: frozenset[str]
    """The requests that the worker's model server was working on."""


class Killer:
    """Strikes while it is entered."""

    def __init__(self, faulty: FaultyStack, model: str, seconds_between: float, seed: int) -> None:
        self.kills: list[Kill] = []
        self._faulty = faulty
        self._model = model
        self._seconds_between = seconds_between
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._stopped = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds_between):
            self._strike()

    def _strike(self) -> None:
        pods = list(self._faulty.stack.deployment(f"{self._model}-v1").pods)
        container, number = self._random.choice(_BLOWS)
        self._random.shuffle(pods)
        for pod in pods:
            victim, model_server = _process(pod, container), _process(pod, MODEL_SERVER)
            if victim is None:
                continue
            running = self._faulty.records.running_at(model_server.pid) if model_server else ()
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(number)
                self.kills.append(Kill(time.time(), number, frozenset(running)))
                return


def _process(pod: PodStatus, container: str) -> psutil.Process | None:
    for process in pod.processes:
        if process.name.endswith(f"/{container}") and process.pid is not None:
            with suppress(psutil.NoSuchProcess):
                return psutil.Process(process.pid)
    return None
