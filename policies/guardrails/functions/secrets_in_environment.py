"""Secrets are fetched when a function starts, not written into its environment."""

import re
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import Any

from ..declaring import Settings, resource_policy
from ..reading import UNKNOWN
from ..resources import Resource
from .running import FUNCTION

_SECRET_KEY = re.compile(
    r"(^|_)(PASSWORD|PASSWD|SECRETS?|TOKEN|CREDENTIALS?|(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)_?KEY)$",
    re.IGNORECASE,
)
"""`…_SECRET_ID` or `…_TOKEN_ARN` say where a secret is, not what it is."""

_SECRET_VALUE = re.compile(
    r"-----BEGIN|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bwhsec_|\bghp_|\bgithub_pat_|\bxox[abprs]-|\bsk-\w"
)
_RUN = re.compile(r"(?<!sha256:)\b[A-Za-z0-9+/=_]{32,}")
_RANDOM_BITS = {16: 3.0, 64: 4.2}
"""Entropy per character above which a run of hexadecimal or mixed characters looks random."""


@resource_policy("lambda-env-no-secrets", FUNCTION)
def environments_hold_no_secrets(function: Resource, _: Settings) -> Iterator[str]:
    """No secret lies in the environment of a function."""
    variables = function.at("environment", "variables")
    for key, value in variables.items() if isinstance(variables, dict) else ():
        if _looks_secret(key, value):
            yield f"move {key} to Secrets Manager and pass the secret's ARN as {key}_ARN"


def _looks_secret(key: str, value: Any) -> bool:  # noqa: ANN401 - known or not
    if _SECRET_KEY.search(key):
        return value is UNKNOWN or bool(value)
    if not isinstance(value, str):
        return False
    return bool(_SECRET_VALUE.search(value)) or any(map(_looks_random, _RUN.findall(value)))


def _looks_random(run: str) -> bool:
    if not (re.search(r"[0-9]", run) and re.search(r"[A-Za-z]", run)):
        return False
    if re.fullmatch(r"[0-9a-f]+", run):
        return _entropy(run) > _RANDOM_BITS[16]
    is_mixed = re.search(r"[a-z]", run) and re.search(r"[A-Z]", run)
    return bool(is_mixed) and _entropy(run) > _RANDOM_BITS[64]


def _entropy(run: str) -> float:
    shares = [count / len(run) for count in Counter(run).values()]
    return -sum(share * log2(share) for share in shares)
