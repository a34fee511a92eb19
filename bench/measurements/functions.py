"""(a) CPU and wall time of a call of the intake and status functions."""

from bench.backends.requests import waiting_requests
from bench.figures import Backend, Figure, Goal
from bench.lab import Lab, per_request_ms
from bench.processes.functions import FunctionSettings, What
from bench.processes.starting import measure as run
from bench.rounds import Sample, medians

_GOAL = Goal(at_most=1.3, of_ratio=True)


def measure(lab: Lab) -> list[Figure]:
    """Measure the real handlers over the emulator, and the intake's routes over memory."""
    queues = lab.stack.new_queues()
    lab.stack.tell_catalog([queues])
    (request,) = waiting_requests(1)
    lab.stack.feed(lab.stack.new_queues(), [request])
    calls = lab.many(400, 100)
    wiring = {"queue_url": queues[1], "request_id": request.row.request_id}
    return [
        *_figures(
            lab, "intake", "bare intake", FunctionSettings(what="intake", calls=calls, **wiring)
        ),
        *_figures(
            lab, "status", "bare status", FunctionSettings(what="status", calls=calls, **wiring)
        ),
        *_over_memory(lab),
    ]


def call(lab: Lab, settings: FunctionSettings) -> Sample:
    """Run a function's process."""
    environment = {**lab.stack.variables, **lab.stack.function_variables()}
    return run("bench.processes.functions", settings, _text(environment))


def _figures(lab: Lab, what: What, bare: What, settings: FunctionSettings) -> list[Figure]:
    taken = medians(
        lab.rounds,
        ours=lambda: call(lab, settings),
        floor=lambda: call(lab, settings.model_copy(update={"what": bare})),
    )
    ours, floor = taken["ours"], taken["floor"]
    return [
        Figure(
            section="functions",
            name=f"{what}, CPU",
            unit="ms/call",
            backend=Backend.EMULATOR,
            ours=per_request_ms(ours),
            floor=per_request_ms(floor),
            goal=_GOAL,
        ),
        Figure(
            section="functions",
            name=f"{what}, wall",
            unit="ms/call",
            backend=Backend.EMULATOR,
            ours=ours["seconds"] / ours["requests"] * 1_000,
            floor=floor["seconds"] / floor["requests"] * 1_000,
        ),
    ]


def _over_memory(lab: Lab) -> list[Figure]:
    calls = lab.many(4_000, 1_000)
    taken = medians(
        lab.rounds,
        ours=lambda: call(lab, FunctionSettings(what="intake ports", calls=calls)),
        floor=lambda: call(lab, FunctionSettings(what="bare ports", calls=calls)),
    )
    return [
        Figure(
            section="functions",
            name="intake's routes, CPU",
            unit="ms/call",
            backend=Backend.IN_PROCESS,
            ours=per_request_ms(taken["ours"]),
            floor=per_request_ms(taken["floor"]),
        )
    ]


def _text(environment: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in environment.items()}
