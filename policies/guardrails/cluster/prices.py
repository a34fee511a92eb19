"""What machines cost and have, from `data/prices.json`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "data" / "prices.json"


@cache
def _instances() -> Mapping[str, Mapping[str, Any]]:
    known: Mapping[str, Mapping[str, Any]] = json.loads(_FILE.read_text())["instances"]
    return known


def shape_of(instance_type: str) -> Mapping[str, Any]:
    """Return the `vcpu`, `gpu` and `gpu_count` of a machine; nothing of one that is not known."""
    return _instances().get(instance_type, {})


def usd_per_hour(instance_type: str, given: Mapping[str, float]) -> float | None:
    """Return the on-demand price; None if neither `given` nor the file has it."""
    return given.get(instance_type, shape_of(instance_type).get("usd_per_hour"))


def has_gpu(instance_type: str) -> bool:
    """Return whether an instance type has a GPU: those of families `g` and `p` have."""
    return "gpu" in shape_of(instance_type) or instance_type.startswith(("g", "p"))
