"""(g) Cost of a request as queues and stacks grow."""

from bench.figures import Backend, Figure, Goal
from bench.lab import Lab, per_request_ms
from bench.measurements.functions import call
from bench.processes.functions import FunctionSettings
from bench.rounds import Sample, medians

_FLAT = Goal(at_most=1.1, of_ratio=True)
_SLOTS = 8
_ON_EMULATOR = 600


def measure(lab: Lab) -> list[Figure]:
    """Measure with few and many queued, and with few and many deployments.

    The floor of each figure is its smallest case: what a flat cost would be.
    """
    return [*_queued_in_memory(lab), *_queued_on_emulator(lab), *_deployments(lab)]


def _queued_in_memory(lab: Lab) -> list[Figure]:
    requests = lab.many(4_000, 1_500)
    depths = (10, 1_000) if lab.is_quick else (10, 1_000, 100_000)
    with lab.model_server(_SLOTS) as url:
        taken = medians(
            lab.rounds,
            **{
                f"{depth:,} queued": lambda depth=depth: lab.dispatch(
                    Backend.IN_PROCESS, requests, url, slots=_SLOTS, queued=requests + depth
                )
                for depth in depths
            },
        )
    return _against_first(taken, Backend.IN_PROCESS, "dispatcher CPU", _FLAT)


def _queued_on_emulator(lab: Lab) -> list[Figure]:
    """Measure beside the bare loop, which shows how the emulator slows down with its queues."""
    depths = () if lab.is_quick else (10, 1_000, 100_000)
    return [_at_depth(lab, depth) for depth in depths]


def _at_depth(lab: Lab, depth: int) -> Figure:
    queued = _ON_EMULATOR * 2 + depth
    with lab.model_server(_SLOTS) as url:
        taken = medians(
            1,
            ours=lambda: lab.dispatch(
                Backend.EMULATOR, _ON_EMULATOR, url, slots=_SLOTS, queued=queued
            ),
            floor=lambda: lab.bare_loop(
                Backend.EMULATOR, _ON_EMULATOR, queued=queued, slots=_SLOTS
            ),
        )
    return Figure(
        section="growth",
        name=f"dispatcher CPU, {depth:,} queued",
        unit="ms/request",
        backend=Backend.EMULATOR,
        ours=per_request_ms(taken["ours"]),
        floor=per_request_ms(taken["floor"]),
    )


def _deployments(lab: Lab) -> list[Figure]:
    calls = lab.many(3_000, 1_000)
    taken = medians(
        lab.rounds,
        **{
            f"{number} deployments": lambda number=number: call(
                lab, FunctionSettings(what="intake ports", calls=calls, deployments=number)
            )
            for number in (1, 10, 50)
        },
    )
    return _against_first(taken, Backend.IN_PROCESS, "intake CPU", _FLAT)


def _against_first(
    taken: dict[str, dict[str, float]], backend: Backend, what: str, goal: Goal
) -> list[Figure]:
    samples: dict[str, Sample] = dict(taken)
    smallest = per_request_ms(next(iter(samples.values())))
    return [
        Figure(
            section="growth",
            name=f"{what}, {case}",
            unit="ms/request",
            backend=backend,
            ours=per_request_ms(sample),
            floor=smallest,
            goal=goal,
        )
        for case, sample in samples.items()
    ]
