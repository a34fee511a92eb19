"""(d) One request through an idle platform, and the share of each stage."""

from bench.figures import Backend, Figure
from bench.lab import Lab
from bench.processes.idle_worker import IdleSettings
from bench.processes.starting import measure as run

_STAGES = ("accept", "receive", "claim", "load", "predict", "store", "announce", "in between")


def measure(lab: Lab) -> list[Figure]:
    """Measure from the intake's two writes to the deleted message, over both backends."""
    return [figure for backend in Backend for figure in _over(lab, backend)]


def _over(lab: Lab, backend: Backend) -> list[Figure]:
    in_process = backend is Backend.IN_PROCESS
    settings = IdleSettings(requests=lab.many(100, 30), in_process=in_process)
    queues = ("p0", "p1", "p2") if in_process else lab.stack.new_queues()
    with lab.model_server(1) as url:
        environment = lab.dispatcher_environment(queues, model_server_url=url)
        taken = run("bench.processes.idle_worker", settings, environment)
    return [
        Figure(
            section="idle latency",
            name=f"of which {stage}" if stage in _STAGES else "submit to end, p50",
            unit="ms",
            backend=backend,
            ours=taken[stage],
        )
        for stage in ("whole", *_STAGES)
    ]
