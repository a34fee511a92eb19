"""What becomes of a key of a config.yaml: it is followed, noted or refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from infra.settings.model_settings import DeploymentSettings

Place = Literal["image", "laptop"]
"""Where a model runs: from its image, or as a process of this machine."""


class Treatment(StrEnum):
    """What becomes of a key, for those of its values that ask for something."""

    FOLLOWED = "followed"
    NOTED = "noted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Asked:
    """All that a key is looked at beside."""

    config: Mapping[str, Any]
    deployment: DeploymentSettings


Reason = Callable[[Any, Asked], str | None]
"""Says of a value why it is noted or refused, and what to do; `None` if it is as good as absent."""


@dataclass(frozen=True)
class Key:
    """One key of a config.yaml."""

    treatment: Treatment
    reason: Reason
    is_whole: bool = False
    """Whether all that lies below it is treated with it."""


def noted(reason: str | Reason, *, whole: bool = False) -> Key:
    """Return a key whose values have no effect, which is told."""
    if isinstance(reason, str):
        return Key(Treatment.NOTED, lambda value, _asked: reason if asks(value) else None, whole)
    return Key(Treatment.NOTED, reason, whole)


def refused(reason: str | Reason, *, whole: bool = False) -> Key:
    """Return a key with whose values nothing is started."""
    if isinstance(reason, str):
        return Key(Treatment.REFUSED, lambda value, _asked: reason if value else None, whole)
    return Key(Treatment.REFUSED, reason, whole)


FOLLOWED = Key(Treatment.FOLLOWED, lambda _value, _asked: None)
FOLLOWED_WHOLE = Key(Treatment.FOLLOWED, lambda _value, _asked: None, is_whole=True)


def asks(value: object) -> bool:
    """Return whether `value` asks for anything: Truss itself writes many that do not."""
    if isinstance(value, Mapping):
        return any(asks(inner) for inner in value.values())
    return bool(value)
