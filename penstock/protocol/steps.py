"""What becomes of a message next."""

from dataclasses import dataclass

from penstock.contracts.outcome import Fault
from penstock.contracts.request import AsyncRequest, RequestState


@dataclass(frozen=True)
class Run:
    """The request is ours: call the model."""

    request: AsyncRequest
    may_be_done: bool = False
    """A dead attempt may have stored its result, and S3 did not say: resume it first."""


@dataclass(frozen=True)
class Announce:
    """The request has ended: tell the world if that was not done, then delete the message."""

    request: AsyncRequest

    @property
    def buried_for(self) -> Fault | None:
        """Why a copy of the message is kept in the dead-letter queue: attempts were used up.

        The row alone decides, so whoever meets the message after a crash decides the same.
        """
        if self.request.state is not RequestState.FAILED or not self.request.faults:
            return None
        last = self.request.faults[-1]
        # Rejected input would be rejected again.
        return last if last.code.is_retried else None


@dataclass(frozen=True)
class Wait:
    """Not now: make the message visible again after so long."""

    seconds: float


@dataclass(frozen=True)
class Drop:
    """Nothing to do, ever: delete the message."""


Step = Run | Announce | Wait | Drop
