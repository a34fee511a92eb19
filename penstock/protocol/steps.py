"""What becomes of a message next."""

from dataclasses import dataclass

from penstock.contracts.outcome import Fault
from penstock.contracts.request import AsyncRequest


@dataclass(frozen=True)
class Run:
    """The request is ours: call the model."""

    request: AsyncRequest


@dataclass(frozen=True)
class Announce:
    """The request has ended: tell the world if that was not done, then delete the message."""

    request: AsyncRequest
    buried_for: Fault | None = None
    """Why a copy of the message is kept in the dead-letter queue: attempts were used up."""


@dataclass(frozen=True)
class Wait:
    """Not now: make the message visible again after so long."""

    seconds: float


@dataclass(frozen=True)
class Drop:
    """Nothing to do, ever: delete the message."""


Step = Run | Announce | Wait | Drop
