"""(f) Memory and threads of a dispatcher: idle, and over many requests."""

from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.processes.dispatcher import DispatcherSettings
from bench.processes.starting import measure as run

_QUEUED = 200
_IDLE_SECONDS = 4.0


def measure(lab: Lab) -> list[Figure]:
    """Measure idle over the emulator; many requests over a memory that keeps nothing of them."""
    with lab.model_server(1) as url:
        settings = {"model_server_url": url, "model_server_preset": "http"}
        queues = lab.stack.new_queues()
        idle = run(
            "bench.processes.dispatcher",
            DispatcherSettings(requests=0, rests_seconds=_IDLE_SECONDS),
            lab.dispatcher_environment(queues, **settings),
        )
        many = lab.many(100_000, 10_000)
        busy = run(
            "bench.processes.dispatcher",
            DispatcherSettings(requests=many, warm_up=many // 10, in_process=_QUEUED, forgets=True),
            lab.dispatcher_environment(("p0", "p1", "p2"), **settings),
        )

    def figure(name: str, unit: str, ours: float, goal: Goal | None = None) -> Figure:
        return Figure(
            section="resources",
            name=name,
            unit=unit,
            backend=Backend.EMULATOR,
            ours=ours,
            goal=goal,
        )

    grown = figure(f"growth over {many * 9 // 10:,} requests", "MiB", busy["grown_mib"])
    return [
        figure("idle memory", "MiB", idle["rss_mib"], Goal(at_most=120)),
        figure("idle threads, 1 slot", "threads", idle["threads"]),
        figure("idle CPU", "ms/s", idle["cpu_seconds"] / idle["seconds"] * 1_000),
        grown.model_copy(update={"backend": Backend.IN_PROCESS, "goal": Goal(at_most=5)}),
    ]
