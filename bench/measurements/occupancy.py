"""(c) The share of time in which the one slot of a model server is busy, priorities mixed."""

import asyncio
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import aiohttp

from bench.backends.requests import PAYLOAD
from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.processes.model_server import Busy
from bench.rounds import Sample, medians

_SERVICE = {0.01: (500, 150, 0.97), 0.1: (60, 0, 0.99), 1.0: (8, 0, 0.99)}
"""Service time: requests of a full run, of a quick run, and the share that is aimed at."""

_CALLS = (1, 2)
"""`concurrency_target`: as many as the server has slots, or one more that waits at its door."""

_SETTLING = 0.2
"""The share of calls in which the worker learns how long the model takes."""


def measure(lab: Lab) -> list[Figure]:
    """Measure over both backends; the floor is the dispatcher's HTTP client, which only calls."""
    return [
        figure
        for seconds, (full, quick, goal) in _SERVICE.items()
        for calls in (_CALLS[-1:] if lab.is_quick else _CALLS)
        if (many := lab.many(full, quick))
        for figure in _at(lab, _Case(seconds, calls, many, goal))
    ]


class _Case(NamedTuple):
    seconds: float
    calls: int
    requests: int
    goal: float


def _at(lab: Lab, case: _Case) -> Iterator[Figure]:
    def share(keep_busy: Callable[[str], object]) -> Sample:
        with lab.model_server(1, case.seconds) as url:
            keep_busy(url)
            return {"busy": _busy_share(_read_busy(url))}

    def over(backend: Backend) -> Sample:
        return share(lambda url: lab.dispatch(backend, case.requests, url, slots=case.calls))

    taken = medians(
        lab.rounds,
        **{backend.value: partial(over, backend) for backend in Backend},
        floor=lambda: share(
            lambda url: asyncio.run(_only_call(url, case.requests, case.calls)),
        ),
    )
    for backend in Backend:
        yield Figure(
            section="occupancy",
            name=f"slot of {case.seconds * 1_000:g} ms, {case.calls} in flight",
            unit="% of the time busy",
            backend=backend,
            ours=taken[backend.value]["busy"] * 100,
            floor=taken["floor"]["busy"] * 100,
            goal=Goal(at_least=case.goal * 100),
        )


async def _only_call(url: str, calls: int, at_once: int) -> None:
    numbers = iter(range(calls))
    async with aiohttp.ClientSession() as session:

        async def keep_calling() -> None:
            for _ in numbers:
                async with session.post(f"{url}/predict", data=PAYLOAD) as answer:
                    await answer.read()

        await asyncio.gather(*(keep_calling() for _ in range(at_once)))


def _read_busy(url: str) -> Busy:
    with urllib.request.urlopen(f"{url}/busy") as answer:  # noqa: S310 - our own server
        return Busy.model_validate_json(answer.read())


def _busy_share(busy: Busy) -> float:
    calls = busy.starts[round(len(busy.starts) * _SETTLING) :]
    first, last = calls[0][1], calls[-1][2]
    return sum(ended - started for _, started, ended in calls) / (last - first)
