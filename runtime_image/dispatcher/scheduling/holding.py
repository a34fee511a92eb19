"""The requests in this worker's hands, and the heartbeats that keep them here."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from penstock.contracts.errors import LeaseLostError, PenstockError, UnavailableError
from penstock.contracts.ports.requests import Delivery, RequestQueue
from penstock.contracts.request import AsyncRequest
from penstock.protocol.request_protocol import RequestProtocol
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.scheduling.endurance import Endurance
from runtime_image.dispatcher.scheduling.gate import RECEIVE_LIMIT

P = ParamSpec("P")
T = TypeVar("T")

_CANCEL_WATCH_SECONDS = 0.5
"""Between looks whether a running request is still wanted: one batched read."""

_MOST_HANGING = 32
"""Threads of heartbeats; nearly always four are enough."""

_QUICK_SECONDS = 1.0
"""An answer that takes less is not late, however short the lease."""


class Interruption(StrEnum):
    """Why a request was stopped before the model answered."""

    LEASE_LOST = "lease lost"
    CANCELED = "canceled by its caller"
    DRAINED = "worker drains"


class RequestInterruptedError(PenstockError):
    """A request in hand was stopped from outside; `Held.interruption` says why."""


@dataclass(eq=False)
class Held:
    """One received message and, once claimed, its request."""

    delivery: Delivery
    claim_id: str = field(default_factory=lambda: uuid4().hex)
    """Under which it is claimed, however often that must be repeated."""

    request: AsyncRequest | None = None
    interruption: Interruption | None = None
    claimed_at: float = 0.0
    """On the event loop's clock."""

    is_answered: bool = False
    """Whether the model is done with it, or will not get it."""

    is_decided: bool = False
    """Whether what becomes of it stands in its row: there is no lease any more."""

    is_being_renewed: bool = False
    """Whether a heartbeat is about its lease right now."""

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

    async def pause(self, seconds: float) -> None:
        """Wait before another try; raise `RequestInterruptedError`."""
        await self.interruptibly(asyncio.sleep(seconds))

    @property
    def has_lease(self) -> bool:
        """Whether there is a lease to renew."""
        return self.request is not None and not self.is_decided

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
    """Renews the visibility of every held message and the lease of every claimed request.

    Each lease is renewed by itself and each batch of messages is hidden by itself, so that a call
    that hangs delays nothing but what it is about.
    """

    def __init__(
        self, protocol: RequestProtocol, queue: RequestQueue, lease_seconds: float
    ) -> None:
        """Wire it; the ports may have timeouts of their own, shorter than a call's here."""
        self._protocol = protocol
        self._queue = queue
        self._lease_seconds = lease_seconds
        # A call that hangs keeps its thread and, after a moment, no turn: others go on.
        self._threads = Threads("heartbeat", _MOST_HANGING, short=4)
        self._call_seconds = max(_QUICK_SECONDS, lease_seconds / 3)
        self._renewing = Endurance("lease not renewed")
        self._hiding = Endurance("messages not hidden")
        self._watching = Endurance("cancellations not read")
        self.held: set[Held] = set()

    async def run(self) -> None:
        """Beat every third of the lease, until cancelled; no beat waits for the one before."""
        async with asyncio.TaskGroup() as calls:
            while True:
                await asyncio.sleep(self._lease_seconds / 3)
                self._start(calls)

    async def beat(self) -> None:
        """Renew everything once."""
        async with asyncio.TaskGroup() as calls:
            self._start(calls)

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
            with self._watching:
                unwanted = await self._promptly(self._protocol.wanted_to_stop, list(lasting))
                for request_id in unwanted:
                    lasting[request_id].interrupt(Interruption.CANCELED)

    def close(self) -> None:
        """Release the threads."""
        self._threads.close()

    def _start(self, calls: asyncio.TaskGroup) -> None:
        for batch in _batches(self.held):
            calls.create_task(self._hide(batch))
        for one in self.held:
            if one.has_lease and not one.is_being_renewed:
                one.is_being_renewed = True
                calls.create_task(self._keep(one))

    async def _hide(self, deliveries: list[Delivery]) -> None:
        # A message that SQS no longer knows as ours comes up again, here or elsewhere; the row
        # then says who holds the request.
        with self._hiding:
            await self._promptly(self._queue.hide, deliveries, self._lease_seconds)

    async def _keep(self, held: Held) -> None:
        """Renew one lease; while that fails, again and again until the lease has lapsed."""
        try:
            while held.has_lease:
                with self._renewing:
                    await self._renew(held)
                    return
                until = held.claimed.lease_until
                if until is None or until <= self._protocol.clock():
                    held.interrupt(Interruption.LEASE_LOST)
                    return
                await asyncio.sleep(self._lease_seconds / 12)
        finally:
            held.is_being_renewed = False

    async def _renew(self, held: Held) -> None:
        request = held.claimed
        try:
            renewed = await self._promptly(self._protocol.renew, request)
        except LeaseLostError:
            if held.has_lease:  # else its own next step came first
                held.interrupt(Interruption.LEASE_LOST)
            return
        if held.request is request:  # not overtaken by the request's own next step
            held.request = renewed
        if renewed.cancel_requested:
            held.interrupt(Interruption.CANCELED)

    async def _promptly(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._threads(call, *args, **kwargs)
        except TimeoutError as error:
            raise UnavailableError("heartbeat", "no answer in time") from error


def heartbeat_timeout_seconds(lease_seconds: float) -> float:
    """Return how long one heartbeat may wait for a connection, and then for an answer."""
    return max(_QUICK_SECONDS, lease_seconds / 6)


def _batches(held: Iterable[Held]) -> Iterator[list[Delivery]]:
    """Yield what SQS hides in one call: messages of one lane."""
    lanes: defaultdict[int, list[Delivery]] = defaultdict(list)
    for one in held:
        lanes[one.delivery.priority].append(one.delivery)
    for lane in lanes.values():
        for start in range(0, len(lane), RECEIVE_LIMIT):
            yield lane[start : start + RECEIVE_LIMIT]
