"""Whom a Baseten call addresses: by path, or by a host like `model-<id>[-<environment>].…`.

A chain is addressed as a model is, with `chain` in the place of `model`.
"""

import re

from penstock.contracts.directory.catalog import CHAIN_PREFIX
from penstock.contracts.submission import Target
from penstock.dialects.address import Address
from penstock.dialects.http_call import HttpCall

_HOST_PREFIXES = {"model-": "", "chain-": CHAIN_PREFIX}
"""What a host begins with, and what the names of such models begin with in the catalog."""

_NAMED_IN_PATH = ("production", "development")
_ENVIRONMENT_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
"""What may stand for an environment in a host name: a DNS label of at most 40 characters."""


def read_address(call: HttpCall) -> Address:
    """Return what the path names, else what the host names."""
    targets = _target_in_path(call)
    found = call.path_parameters
    if model_id := found.get("model_id"):
        return Address(readings=(Target(model_id=model_id, **targets),))
    if chain_id := found.get("chain_id"):
        return Address(readings=(Target(model_id=CHAIN_PREFIX + chain_id, **targets),))
    for host in call.hosts:
        label = host.lower().partition(".")[0].partition(":")[0]
        for prefix, kind in _HOST_PREFIXES.items():
            if label.startswith(prefix) and label != prefix:
                return _address_of_label(label.removeprefix(prefix), kind, targets)
    return Address(
        readings=(), hint="write /models/{model_id}/... or use the host model-{model_id}.<domain>"
    )


def _target_in_path(call: HttpCall) -> dict[str, str]:
    for name in _NAMED_IN_PATH:
        if f"/{name}/" in call.route:
            return {"environment": name}
    found = call.path_parameters
    return {name: found[name] for name in ("environment", "deployment_id") if name in found}


def _address_of_label(label: str, kind: str, targets: dict[str, str]) -> Address:
    whole = Target(model_id=kind + label, **targets)
    if targets:
        # A host that names the environment takes bare paths only, so it is no reading here.
        hint = f"if {label} names an environment too, leave out what precedes the last segment"
        return Address(readings=(whole,), hint=hint if "-" in label else "")
    return Address(readings=(whole, *_splits(label, kind)))


def _splits(label: str, kind: str) -> list[Target]:
    """Return model and environment for each hyphen, the longest model id first."""
    hyphens = [found.start() for found in re.finditer("-", label)]
    pairs = [(label[:at], label[at + 1 :]) for at in reversed(hyphens)]
    return [
        Target(model_id=kind + model_id, environment=environment)
        for model_id, environment in pairs
        # Baseten reserves `development`: that environment is reached by its path alone.
        if model_id and environment != "development" and _ENVIRONMENT_LABEL.fullmatch(environment)
    ]
