"""(c) The share of time in which the one slot of a model server is busy, priorities mixed."""

import urllib.request
from typing import NamedTuple

from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.processes.model_server import Busy
from bench.rounds import Sample, medians

_SERVICE = {0.01: (500, 150, 0.97), 0.1: (60, 0, 0.99), 1.0: (12, 0, 0.99)}
"""Service time: requests of a full run, of a quick run, and the share that is aimed at."""

_CALLS = (1, 2)
"""`concurrency_target`: as many as the server has slots, or one more that waits at its door."""

_SETTLING = 0.2
"""The share of calls in which the worker learns how long the model takes."""


def measure(lab: Lab) -> list[Figure]:
    """Measure on the emulator; there is no floor but a slot that never waits."""
    return [
        _at(lab, backend, _Case(seconds, calls, many, goal))
        for seconds, (full, quick, goal) in _SERVICE.items()
        for calls in _CALLS
        for backend in Backend
        if (many := lab.many(full, quick))
    ]


class _Case(NamedTuple):
    seconds: float
    calls: int
    requests: int
    goal: float


def _at(lab: Lab, backend: Backend, case: _Case) -> Figure:
    def once() -> Sample:
        with lab.model_server(1, case.seconds) as url:
            lab.dispatch(backend, case.requests, url, slots=case.calls)
            return {"share": _busy_share(_read_busy(url))}

    return Figure(
        section="occupancy",
        name=f"slot of {case.seconds * 1_000:g} ms, {case.calls} in flight",
        unit="% of the time busy",
        backend=backend,
        ours=medians(lab.rounds, ours=once)["ours"]["share"] * 100,
        floor=100,
        goal=Goal(at_least=case.goal * 100),
    )


def _read_busy(url: str) -> Busy:
    with urllib.request.urlopen(f"{url}/busy") as answer:  # noqa: S310 - our own server
        return Busy.model_validate_json(answer.read())


def _busy_share(busy: Busy) -> float:
    calls = busy.starts[round(len(busy.starts) * _SETTLING) :]
    first, last = calls[0][1], calls[-1][2]
    return sum(ended - started for _, started, ended in calls) / (last - first)
