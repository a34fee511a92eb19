"""What a config.yaml asks of a machine, beside what the deployment's `instance` gives."""

import re
from typing import Any

from infra.artifacts.truss.treatment import Asked
from infra.settings.instance import Instance

_UNITS = {"": 1, **{f"{u}i": 1024**n for n, u in enumerate("KMGTPE", start=1)}} | {
    u: 1000**n for n, u in enumerate("kMGTPE", start=1)
}
_AMOUNT = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_GIB = 1024**3


def use_gpu(value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Refuse a wish that Truss replaces by what `accelerator` says."""
    has_accelerator = _accelerator(asked) is not None
    if value is None or bool(value) == has_accelerator:
        return None
    if has_accelerator:
        return "is false, but accelerator names a GPU, which Truss follows: remove one of them"
    return (
        "is true without an accelerator, so that Truss makes an image without CUDA: write"
        " accelerator: <GPU>, as in accelerator: L4, or remove it"
    )


def accelerator(_value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Note a GPU that the instance has not."""
    instance = Instance.parse(asked.deployment.instance)
    wanted = _accelerator(asked)
    if wanted is None or wanted == (instance.gpu, instance.gpu_count):
        return None
    return _instance_counts(asked)


def cpu(value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Note more CPU than the instance has."""
    text = str(value)
    cores = _amount(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)
    vcpu = Instance.parse(asked.deployment.instance).vcpu
    return _instance_counts(asked) if cores > vcpu else None


def memory(value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Note more memory than the instance has."""
    has_bytes = Instance.parse(asked.deployment.instance).memory_gib * _GIB
    return _instance_counts(asked) if _amount(str(value)) > has_bytes else None


def instance_type(value: Any, asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Note another instance than the deployment's."""
    return _instance_counts(asked) if value and value != asked.deployment.instance else None


def node_count(value: Any, _asked: Asked) -> str | None:  # noqa: ANN401 - whatever was written
    """Refuse a model that wants several nodes."""
    if isinstance(value, int) and value > 1:
        return "a model runs on one node here: leave it out"
    return None


def _instance_counts(asked: Asked) -> str:
    return f"is not followed: the deployment's instance {asked.deployment.instance} counts"


def _accelerator(asked: Asked) -> tuple[str, int] | None:
    resources = asked.config.get("resources")
    text = resources.get("accelerator") if isinstance(resources, dict) else None
    if isinstance(text, dict):
        kind, count = text.get("accelerator"), text.get("count", 1)
    else:
        kind, _, count = str(text or "").partition(":")
    return (str(kind), int(count or 1)) if kind and str(count or 1).isdigit() else None


def _amount(text: str) -> float:
    """Return a quantity; what is none asks for nothing here, and Truss refuses it."""
    found = _AMOUNT.fullmatch(text)
    try:
        return float(found[1]) * _UNITS[found[2]] if found else 0
    except (KeyError, ValueError):
        return 0
