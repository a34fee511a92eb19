"""The requests in this worker's hands, and the heartbeats that keep them here."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from penstock.contracts.errors import LeaseLostError, PenstockError, UnavailableError
from penstock.contracts.ports.requests import Delivery, RequestQueue
from penstock.contracts.request import AsyncRequest
from penstock.protocol.request_protocol import RequestProtocol
from runtime_image.dispatcher.concurrency import Threads

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CANCEL_WATCH_SECONDS = 0.5
"""Between looks whether a running request is still wanted: one batched read."""


class Interruption(StrEnum):
    """Why a request was stopped before the model answered."""

    LEASE_LOST = "lease lost"
    CANCELED = "canceled by its caller"
    DRAINED = "worker drains"
    RESTARTED = "model server restarts"


class RequestInterruptedError(PenstockError):
    """A request in hand was stopped from outside; `Held.interruption` says why."""


@dataclass(eq=False)
class Held:
    """One received message and, once claimed, its request."""

    delivery: Delivery
    request: AsyncRequest | None = None
    interruption: Interruption | None = None
    claimed_at: float = 0.0
    """On the event loop's clock."""

    is_running: bool = False
    """Whether the model server has it."""

    is_answered: bool = False
    """Whether the model is done with it, or will not get it."""

    is_decided: bool = False
    """Whether what becomes of it stands in its row: there is no lease any more."""

    waits: asyncio.Future[Any] | None = field(default=None, repr=False)
    """What it waits for right now: a turn or the model. Only that may be interrupted."""

    def interrupt(self, why: Interruption) -> None:
        """Stop waiting, now or before the next wait; what is being written is finished."""
        self.interruption = why
        if self.waits is not None:
            self.waits.cancel()

    async def interruptibly(self, wait: Coroutine[Any, Any, T]) -> T:
        """Return what `wait` returns.

        Raises:
            RequestInterruptedError: it was interrupted.
        """
        if self.interruption is not None:
            wait.close()
            raise RequestInterruptedError(self.interruption)
        waits: asyncio.Future[T] = asyncio.ensure_future(wait)
        self.waits = waits
        try:
            return await waits
        except asyncio.CancelledError:
            waits.cancel()
            if self.interruption is None:
                raise  # the process itself ends
            raise RequestInterruptedError(self.interruption) from None

    @property
    def claimed(self) -> AsyncRequest:
        """The request, where it must have been claimed."""
        if self.request is None:
            raise AssertionError("only a claimed request reaches the model server")
        return self.request

    @property
    def log_keys(self) -> dict[str, object]:
        """What a log event about it carries."""
        keys: dict[str, object] = {"request_id": self.delivery.message.request_id}
        return keys | ({"attempt": self.request.attempt} if self.request else {})


class Heartbeats:
    """Renews the visibility of every held message and the lease of every claimed request."""

    def __init__(
        self, protocol: RequestProtocol, queue: RequestQueue, lease_seconds: float
    ) -> None:
        self._protocol = protocol
        self._queue = queue
        self._lease_seconds = lease_seconds
        self._threads = Threads("heartbeat", 4)
        self.held: set[Held] = set()

    async def run(self) -> None:
        """Beat every third of the lease, until cancelled."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            await self.beat()

    async def beat(self) -> None:
        """Renew everything once."""
        held = list(self.held)
        claimed = [one for one in held if one.request is not None and not one.is_decided]
        await asyncio.gather(self._hide(held), *(self._renew(one) for one in claimed))

    async def watch_cancellations(self) -> None:
        """Stop what its caller no longer wants, well before the next heartbeat; until cancelled."""
        while True:
            await asyncio.sleep(_CANCEL_WATCH_SECONDS)
            now = asyncio.get_running_loop().time()
            lasting = {
                one.request.request_id: one
                for one in self.held
                # What ends within one look is not worth a read.
                if one.request is not None
                and not one.is_answered
                and now - one.claimed_at >= _CANCEL_WATCH_SECONDS
            }
            if not lasting:
                continue
            try:
                unwanted = await self._threads(self._protocol.wanted_to_stop, list(lasting))
            except UnavailableError as error:
                logger.warning("cancellations not read", extra={"reason": str(error)})
                continue
            for request_id in unwanted:
                lasting[request_id].interrupt(Interruption.CANCELED)

    def close(self) -> None:
        """Release the threads."""
        self._threads.close()

    async def _hide(self, held: list[Held]) -> None:
        if not held:
            return
        # A message that SQS no longer knows as ours comes up again, here or elsewhere; the row
        # then says who holds the request.
        try:
            deliveries = [one.delivery for one in held]
            await self._threads(self._queue.hide, deliveries, self._lease_seconds)
        except UnavailableError as error:
            logger.warning("messages not hidden", extra={"reason": str(error)})

    async def _renew(self, held: Held) -> None:
        request = held.request
        if request is None:
            return
        try:
            renewed = await self._threads(self._protocol.renew, request)
        except LeaseLostError:
            held.interrupt(Interruption.LEASE_LOST)
        except UnavailableError as error:
            logger.warning(
                "lease not renewed",
                extra={"request_id": request.request_id, "reason": str(error)},
            )
            if request.lease_until is None or request.lease_until <= self._protocol.clock():
                held.interrupt(Interruption.LEASE_LOST)
        else:
            if held.request is request:  # not overtaken by the request's own next step
                held.request = renewed
            if renewed.cancel_requested:
                held.interrupt(Interruption.CANCELED)
