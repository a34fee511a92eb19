"""One request on its way through a batch."""

import asyncio
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from penstock.contracts.origin import ContainerCall
from penstock.contracts.request import AsyncRequest
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.contract import may_join
from runtime_image.dispatcher.model_server.faults import overrun
from runtime_image.dispatcher.model_server.server import Answer


def _future() -> asyncio.Future[Answer]:
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False)
class Member:
    """A request that waits for the model server, or that it has."""

    request: AsyncRequest
    payload: Loaded
    call: ContainerCall | None
    timeout_seconds: float
    sequence: int
    came_at: float
    """On the event loop's clock, as are all times here."""

    answer: asyncio.Future[Answer] = field(default_factory=_future)
    context: Context = field(default_factory=copy_context)
    """Of the request's own task, with its trace."""

    goes_alone: bool = field(init=False)
    ends_at: float = field(default=0.0, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        # Whom a batch took down with it, or who was refused, may be why.
        is_first = self.request.failed_attempts <= 1 and self.request.refusal is None
        self.goes_alone = not (is_first and self.call is None and may_join(self.payload))

    @property
    def turn(self) -> tuple[int, int]:
        """Where it stands among those that wait."""
        return self.request.priority, self.sequence

    def start_clock(self) -> None:
        """Count its time from now on, if it does not run yet: it ends whatever others may need."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self.ends_at = loop.time() + self.timeout_seconds
            self._timer = loop.call_at(self.ends_at, self._time_out)

    def _time_out(self) -> None:
        self.settle(overrun(self.timeout_seconds))

    def settle(self, outcome: Answer | BaseException) -> None:
        """Tell whoever waits; let go of an answer that nobody waits for."""
        if not self.answer.done():
            if isinstance(outcome, Answer):
                self.answer.set_result(outcome)
            else:
                self.answer.set_exception(outcome)
        elif isinstance(outcome, Answer):
            outcome.close()

    def leave(self) -> None:
        """Stop the clock; nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()

    def refuse(self) -> None:
        """Let go of an answer that came as whoever waited was called away."""
        is_answered = self.answer.done() and not self.answer.cancelled()
        if is_answered and self.answer.exception() is None:
            self.answer.result().close()
