"""A real model by the size of its batches, on one core of this machine."""

import asyncio
import json
from collections.abc import Callable
from functools import partial

from bench.backends.requests import PAYLOAD
from bench.batching.model import PREDICT_PATH, Served, embeddings
from bench.figures import Backend, Figure
from bench.lab import Lab, per_second
from bench.load import load
from bench.rounds import Sample, medians

_SIZES = (1, 2, 4, 8, 16, 32)
_WARM_UP = 64


def measure(lab: Lab) -> list[Figure]:
    """Measure ours; the floor is the model server alone, called with whole batches in turn."""
    with embeddings() as model:
        _alone(model, _WARM_UP, 1)
        measured: dict[str, Callable[[], Sample]] = {}
        for size in _SIZES:
            many = lab.many(192 if size == 1 else 384, 64)
            measured[f"ours {size}"] = partial(_ours, lab, model, many, size)
            measured[f"floor {size}"] = partial(_alone, model, many, size)
        taken = medians(lab.rounds, **measured)
    return [
        figure
        for size in _SIZES
        for figure in _figures(size, taken[f"ours {size}"], taken[f"floor {size}"])
    ]


def _figures(size: int, ours: Sample, floor: Sample) -> list[Figure]:
    def figure(name: str, unit: str, of: Callable[[Sample], float]) -> Figure:
        return Figure(
            section="batching",
            name=f"{name}, batches of {size}",
            unit=unit,
            backend=Backend.IN_PROCESS,
            ours=of(ours),
            floor=of(floor),
        )

    return [
        figure("embeddings", "requests/s", per_second),
        figure("CPU of the model server", "ms/request", lambda sample: sample["model_ms"]),
    ]


def _ours(lab: Lab, model: Served, requests: int, size: int) -> Sample:
    before = model.cpu_seconds()
    sample = lab.dispatch(
        Backend.IN_PROCESS,
        requests,
        model.url,
        slots=2 * size,
        model_server_predict_path=PREDICT_PATH,
        max_batch_size=size,
        max_batch_wait_ms=5,
    )
    used = model.cpu_seconds() - before
    return {**sample, "model_ms": used / lab.with_warm_up(requests) * 1_000}


def _alone(model: Served, requests: int, size: int) -> Sample:
    before = model.cpu_seconds()
    model_input = json.loads(PAYLOAD)
    body = json.dumps([model_input] * size if size > 1 else model_input).encode()
    taken = asyncio.run(load(f"{model.url}{PREDICT_PATH}", body, requests // size, 1))
    used = model.cpu_seconds() - before
    return {
        "requests": requests,
        "seconds": taken.seconds,
        "model_ms": used / requests * 1_000,
    }
