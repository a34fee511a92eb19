"""(b) Requests per second and CPU per request, with a model that does nothing."""

from collections.abc import Callable, Iterator
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
    return [*figures, _without_http(lab)]


def _at(lab: Lab, backend: Backend, slots: int) -> Iterator[Figure]:
    on_emulator = backend is Backend.EMULATOR
    requests = lab.many(600, 150) if on_emulator else lab.many(6_000, 2_000)
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


def _without_http(lab: Lab) -> Figure:
    """Return our own cost alone: no AWS, and no call to a model server."""
    requests = lab.many(6_000, 2_000)
    taken = medians(
        lab.rounds,
        ours=lambda: lab.dispatch(Backend.IN_PROCESS, requests, "", slots=8),
        floor=lambda: lab.bare_loop(Backend.IN_PROCESS, requests),
    )
    return Figure(
        section=_SECTION,
        name="CPU, 8 slots, model without HTTP",
        unit="ms/request",
        backend=Backend.IN_PROCESS,
        ours=per_request_ms(taken["ours"]),
        floor=per_request_ms(taken["floor"]),
        goal=Goal(at_most=0.5),
    )
