"""Durable submits over HTTP, and one request from submit to result, all in one process."""

import asyncio
import json
import time
import urllib.request
from statistics import median

from bench.backends.requests import SUBMIT_BODY
from bench.figures import Backend, Figure, Goal
from bench.lab import Lab
from bench.load import load, post
from bench.processes.starting import running
from bench.processes.whole_platform import PlatformSettings
from bench.rounds import Sample, medians

_PATH = "/models/model-0/production/async_predict"
_CONNECTIONS = 16
_REST_SECONDS = 0.01


def measure(lab: Lab) -> list[Figure]:
    """Measure with the intake's own routes behind a small server; the floor only answers."""
    submits = lab.many(6_000, 2_000)
    taken = medians(
        lab.rounds,
        ours=lambda: _load(lab, PlatformSettings(has_dispatcher=False), submits),
        floor=lambda: _load(lab, PlatformSettings(has_dispatcher=False, is_bare=True), submits),
    )
    return [
        Figure(
            section="durable HTTP",
            name=f"submits at {_CONNECTIONS} connections",
            unit="requests/s",
            backend=Backend.IN_PROCESS,
            ours=taken["ours"]["per_second"],
            floor=taken["floor"]["per_second"],
            goal=Goal(at_least=1_250),
        ),
        _idle(lab),
    ]


def _load(lab: Lab, settings: PlatformSettings, calls: int) -> Sample:
    environment = lab.dispatcher_environment(("p0", "p1", "p2"))
    with running("bench.processes.whole_platform", settings, environment) as url:
        asyncio.run(load(f"{url}{_PATH}", SUBMIT_BODY, calls // 10, _CONNECTIONS))
        taken = asyncio.run(load(f"{url}{_PATH}", SUBMIT_BODY, calls, _CONNECTIONS))
    return {"per_second": taken.per_second}


def _idle(lab: Lab) -> Figure:
    environment = lab.dispatcher_environment(("p0", "p1", "p2"))
    with running("bench.processes.whole_platform", PlatformSettings(), environment) as url:
        started = asyncio.run(_one_by_one(url, lab.many(300, 100)))
        with urllib.request.urlopen(f"{url}/published") as answer:  # noqa: S310 - our own server
            published = json.load(answer)
    waits = [published[request_id] - at for request_id, at in started.items()]
    return Figure(
        section="durable HTTP",
        name="idle submit to announced result, p50",
        unit="ms",
        backend=Backend.IN_PROCESS,
        ours=median(waits) * 1_000,
        goal=Goal(at_most=2.5),
    )


async def _one_by_one(url: str, requests: int) -> dict[str, float]:
    """Submit one request after another; return when each was sent."""
    started = {}
    async with post(f"{url}{_PATH}", SUBMIT_BODY) as call:
        for _ in range(requests):
            at = time.monotonic()
            answer = json.loads(await call())
            started[answer["request_id"]] = at
            await asyncio.sleep(_REST_SECONDS)
    return started
