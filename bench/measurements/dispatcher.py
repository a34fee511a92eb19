"""(b) Requests per second and CPU per request, with a model that does nothing."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter

from bench.figures import Backend, Figure, Goal
from bench.lab import Lab, per_request_ms, per_second
from bench.rounds import Sample, medians

_SECTION = "dispatcher"
_SLOTS = (1, 8, 32)


def measure(lab: Lab) -> list[Figure]:
    """Measure over both backends, at several numbers of slots."""
    slots = (8,) if lab.is_quick else _SLOTS
    figures = [
        figure for backend in Backend for each in slots for figure in _at(lab, backend, each)
    ]
    return [*figures, *_without_http(lab)]


def _at(lab: Lab, backend: Backend, slots: int) -> Iterator[Figure]:
    on_emulator = backend is Backend.EMULATOR
    requests = lab.many(2_000, 350) if on_emulator else lab.many(6_000, 1_200)
    with lab.model_server(slots) as url:
        taken = medians(
            lab.rounds,
            ours=lambda: lab.dispatch(backend, requests, url, slots=slots),
            floor=lambda: lab.bare_loop(backend, requests, slots=slots),
        )
    goal = Goal(at_most=1.5, of_ratio=True) if on_emulator else None

    def figure(name: str, unit: str, of: Callable[[Sample], float], goal: Goal | None) -> Figure:
        return Figure(
            section=_SECTION,
            name=f"{name}, {slots} slots",
            unit=unit,
            backend=backend,
            ours=of(taken["ours"]),
            floor=of(taken["floor"]),
            goal=goal,
        )

    yield figure("throughput", "requests/s", per_second, None)
    yield figure("CPU", "ms/request", per_request_ms, goal)
    if on_emulator:
        yield figure("CPU of the emulator itself", "ms/request", itemgetter("emulator_ms"), None)


def _without_http(lab: Lab) -> Iterator[Figure]:
    """Yield our own cost alone: no AWS, and no call to a model server."""
    requests = lab.many(6_000, 1_200)

    def ours() -> Sample:
        return lab.dispatch(Backend.IN_PROCESS, requests, "", slots=8)

    def ours_on_one_core() -> Sample:
        with _one_core():
            return ours()

    taken = medians(
        lab.rounds,
        anywhere=ours,
        on_one_core=ours_on_one_core,
        floor=lambda: lab.bare_loop(Backend.IN_PROCESS, requests),
    )
    for name, where, goal in (
        ("anywhere", "", Goal(at_most=0.5)),
        ("on_one_core", ", on one core", None),
    ):
        yield Figure(
            section=_SECTION,
            name=f"CPU, 8 slots, model without HTTP{where}",
            unit="ms/request",
            backend=Backend.IN_PROCESS,
            ours=per_request_ms(taken[name]),
            floor=per_request_ms(taken["floor"]),
            goal=goal,
        )


@contextmanager
def _one_core() -> Iterator[None]:
    """Let programs that are started meanwhile have one core: threads wake each other for less."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
