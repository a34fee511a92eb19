"""The same model, slots and number of requests on other servers; ours is in the sections above."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bench.figures import Figure
from bench.lab import Lab
from bench.load import LoadError
from bench.peers import celery_peer, http_peers
from bench.peers.peer import PeerError
from bench.rounds import Sample

_SERVICE_SECONDS = 0.01


class _Candidate(NamedTuple):
    name: str
    throughput: Callable[[int, int, float], Sample]
    idle_ms: Callable[[int], float]


_CANDIDATES = (
    _Candidate("Celery + Redis", celery_peer.throughput, celery_peer.idle_ms),
    *(
        _Candidate(
            peer.name,
            partial(http_peers.throughput, peer),
            partial(http_peers.idle_ms, peer),
        )
        for peer in http_peers.PEERS
    ),
)


def measure(lab: Lab) -> list[Figure]:
    """Measure those that install and start here; the others are noted."""
    figures: list[Figure] = []
    for candidate in _CANDIDATES:
        try:
            figures += _of(lab, candidate)
        except (PeerError, LoadError, OSError) as error:
            lab.notes.append(f"{candidate.name} was left out: {error}")
    return figures


def _of(lab: Lab, peer: _Candidate) -> list[Figure]:
    def figure(name: str, unit: str, ours: float, floor: float | None = None) -> Figure:
        return Figure(
            section="peers", name=f"{peer.name}: {name}", unit=unit, ours=ours, floor=floor
        )

    slow = peer.throughput(lab.many(500, 150), 1, _SERVICE_SECONDS)
    fast = peer.throughput(lab.many(3_000, 800), 8, 0.0)
    ceiling = 1 / _SERVICE_SECONDS
    return [
        figure("1 slot of 10 ms", "requests/s", slow["per_second"], ceiling),
        figure("no-op, 8 slots", "requests/s", fast["per_second"]),
        figure("no-op, 8 slots, CPU", "ms/request", fast["cpu_ms"]),
        figure("idle, p50", "ms", peer.idle_ms(lab.many(100, 50))),
    ]
