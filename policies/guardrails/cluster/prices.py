"""What machines cost and which have GPUs, from `data/prices.json`."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "data" / "prices.json"


@cache
def instances() -> Mapping[str, Mapping[str, Any]]:
    """Return what is known of each instance type."""
    known: Mapping[str, Mapping[str, Any]] = json.loads(_FILE.read_text())["instances"]
    return known


def usd_per_hour(instance_type: str, given: Mapping[str, float]) -> float | None:
    """Return the on-demand price; None if neither `given` nor the file has it."""
    if instance_type in given:
        return given[instance_type]
    price: float | None = instances().get(instance_type, {}).get("usd_per_hour")
    return price


def has_gpu(instance_type: str) -> bool:
    """Return whether an instance type has a GPU: those of families `g` and `p` have."""
    known = instances().get(instance_type)
    return "gpu" in known if known else instance_type.startswith(("g", "p"))
