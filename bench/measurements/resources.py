"""(f) Memory and threads of a dispatcher: idle, and over many requests."""

from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.processes.dispatcher import DispatcherSettings
from bench.processes.starting import measure as run
from bench.rounds import Sample

_QUEUED = 200
_IDLE_SECONDS = 4.0


def measure(lab: Lab) -> list[Figure]:
    """Measure idle over the emulator; many requests over a memory that keeps nothing of them."""
    many = lab.many(100_000, 10_000)
    with lab.model_server(1) as url:
        idle, busy = _idle(lab, url), _busy(lab, url, many)
    grown = _figure(
        f"growth over {many * 9 // 10:,} requests", "MiB", busy["grown_mib"], Goal(at_most=5)
    )
    return [
        _figure("idle memory", "MiB", idle["rss_mib"], Goal(at_most=120)),
        _figure("idle threads, 1 slot", "threads", idle["threads"]),
        _figure("idle CPU", "ms/s", idle["cpu_seconds"] / idle["seconds"] * 1_000),
        grown.model_copy(update={"backend": Backend.IN_PROCESS}),
    ]


def _idle(lab: Lab, url: str) -> Sample:
    environment = lab.dispatcher_environment(lab.stack.new_queues(), model_server_url=url)
    settings = DispatcherSettings(requests=0, rests_seconds=_IDLE_SECONDS)
    return run("bench.processes.dispatcher", settings, environment)


def _busy(lab: Lab, url: str, requests: int) -> Sample:
    environment = lab.dispatcher_environment(("p0", "p1", "p2"), model_server_url=url)
    settings = DispatcherSettings(
        requests=requests, warm_up=requests // 10, in_process=_QUEUED, forgets=True
    )
    return run("bench.processes.dispatcher", settings, environment)


def _figure(name: str, unit: str, ours: float, goal: Goal | None = None) -> Figure:
    return Figure(
        section="resources", name=name, unit=unit, backend=Backend.EMULATOR, ours=ours, goal=goal
    )
