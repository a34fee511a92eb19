"""Peers that are called over HTTP."""

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.load import load, post
from bench.peers.peer import Peer, Started, started, wait_for
from bench.rounds import Sample
from penstock.local.processes import free_port

_REST_SECONDS = 0.01
_TEXT = b'{"text": "one small request, as most are"}'

PEERS = (
    Peer("LitServe", ("litserve==0.2.19",), ("python", "litserve_server.py"), "/predict", _TEXT),
    Peer(
        "BentoML",
        ("bentoml==1.4.39",),
        ("bentoml", "serve", "bentoml_server:Model", "--port", "{port}"),
        "/predict",
        _TEXT,
    ),
    Peer("Ray Serve", ("ray[serve]==2.52.1",), ("python", "ray_server.py"), "/predict", _TEXT),
    Peer(
        "Cog",
        ("cog==0.14.12",),
        ("python", "-m", "cog.server.http", "--host", "127.0.0.1"),
        "/predictions",
        b'{"input": ' + _TEXT + b"}",
        queues=False,
    ),
)


def throughput(peer: Peer, calls: int, slots: int, service_seconds: float) -> Sample:
    """Return calls per second, and the CPU time of a call, with as many callers as keep it busy."""
    connections = slots * 2 if peer.queues else 1
    with _running(peer, slots, service_seconds) as (running, url):
        asyncio.run(load(url, peer.body, calls // 10 + connections, connections))
        before = running.cpu_seconds()
        taken = asyncio.run(load(url, peer.body, calls, connections))
        used = running.cpu_seconds() - before
    return {"per_second": taken.per_second, "cpu_ms": used / calls * 1_000}


def idle_ms(peer: Peer, calls: int) -> float:
    """Return the median time of a call when there is no other."""
    with _running(peer, 1, 0.0) as (_, url):
        return median(asyncio.run(_one_by_one(url, peer.body, calls))) * 1_000


async def _one_by_one(url: str, body: bytes, calls: int) -> list[float]:
    waits = []
    async with post(url, body) as call:
        for _ in range(calls):
            before = time.monotonic()
            await call()
            waits.append(time.monotonic() - before)
            await asyncio.sleep(_REST_SECONDS)
    return waits


@contextmanager
def _running(peer: Peer, slots: int, service_seconds: float) -> Iterator[tuple[Started, str]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}{peer.path}"
    environment = {
        "BENCH_SECONDS": str(service_seconds),
        "BENCH_SLOTS": str(slots),
        "BENCH_PORT": str(port),
        "PORT": str(port),  # Cog
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would copy this folder and make it all again
    }

    def works() -> None:
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(url, peer.body, headers)
        urllib.request.urlopen(call, timeout=5).close()  # noqa: S310 - our own server

    with started(peer.command(port), environment) as running:
        wait_for(works, running)
        yield running, url
