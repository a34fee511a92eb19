"""Gathers calls to the model server: several requests share one, and each gets its own answer."""

import asyncio
import logging
from bisect import insort
from collections.abc import Callable, Sequence
from contextlib import closing
from contextvars import Context
from itertools import count

from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.batching.contract import NotABatchError, batch_of, outputs_of
from runtime_image.dispatcher.batching.member import Member
from runtime_image.dispatcher.model_server.server import (
    Answer,
    ModelBusyError,
    ModelFaultError,
    ModelRefusedError,
    ModelServer,
)

logger = logging.getLogger(__name__)

_TIMER_SECONDS = 1e-4
"""Timers are no more exact than this."""

_GRACE_SECONDS = 1.0
"""How much longer a call may take than its members: their own clocks ring first."""

_Outcome = Answer | ModelFaultError | ModelRefusedError | ModelBusyError


class Batching:
    """Asks the model server for several requests at once.

    Those that wait go by priority, then by age; what is left of a batch goes to lower priorities
    that wait already, and nobody waits for them. A batch leaves when it is full or its oldest
    member has waited `wait_seconds`, and one of the `flights` to the model server is free: while
    all are on their way, the next gathers.

    A batch costs nobody an attempt that its own call would not have: if the model server refuses
    a batch, its members are asked for one by one at once, and after a counted attempt, whatever
    ended it, a request travels alone.
    """

    def __init__(
        self,
        model_server: ModelServer,
        *,
        size: int,
        wait_seconds: float,
        flights: int,
        observe_size: Callable[[int], None],
    ) -> None:
        self._model_server = model_server
        self._size = size
        self._wait_seconds = wait_seconds
        self._most_flights = flights
        self._observe_size = observe_size
        self._when_landed: Callable[[], None] = lambda: None
        self._numbers = count()
        self._waiting: list[Member] = []
        self._flights: dict[asyncio.Task[None], list[Member]] = {}
        self._wake_up: asyncio.TimerHandle | None = None

    async def predict(
        self,
        request: AsyncRequest,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
        *,
        alone: bool = False,
    ) -> Answer:
        """Run the model for a request, if need be alone; see `ModelServer.predict`.

        Its time begins when it leaves. Cancelled, it leaves its batch to the others.
        """
        came_at = asyncio.get_running_loop().time()
        member = Member(request, payload, call, timeout_seconds, next(self._numbers), came_at)
        member.goes_alone = member.goes_alone or alone
        self._wait(member)
        self._depart()
        try:
            return await member.answer
        except asyncio.CancelledError:
            member.refuse()
            raise
        finally:
            self._part_with(member)

    def under_way_below(self, priority: int) -> int:
        """Return how many requests of lower priority than this the model server has."""
        return sum(
            each.request.priority > priority and not each.answer.done()
            for members in self._flights.values()
            for each in members
        )

    def call_when_landed(self, call: Callable[[], None]) -> None:
        """Have `call` called after each flight: those it had may wait again, or still be here."""
        self._when_landed = call

    def _wait(self, member: Member) -> None:
        insort(self._waiting, member, key=lambda each: each.turn)

    def _part_with(self, member: Member) -> None:
        member.leave()
        if member in self._waiting:
            self._waiting.remove(member)
        for flight, members in self._flights.items():
            if member in members and all(each.answer.done() for each in members):
                flight.cancel()  # nobody waits for it: the connection is closed

    def _depart(self) -> None:
        """Let all go that may go now."""
        while self._waiting and (free := self._most_flights - len(self._flights)):
            members = self._next_members()
            if (left := self._seconds_to_fill(members)) > _TIMER_SECONDS:
                if self._wake_up is None:
                    self._wake_up = asyncio.get_running_loop().call_later(left, self._awake)
                members = [each for each in self._waiting if each.goes_alone][:1]
                if not members or free == 1:
                    return  # the last free flight is kept for the batch: its turn is first
            self._waiting = [each for each in self._waiting if each not in members]
            self._take_off(members)

    def _awake(self) -> None:
        self._wake_up = None
        self._depart()

    def _next_members(self) -> list[Member]:
        if self._waiting[0].goes_alone:
            return self._waiting[:1]
        return [each for each in self._waiting if not each.goes_alone][: self._size]

    def _seconds_to_fill(self, members: Sequence[Member]) -> float:
        """Return how long these may still wait for more."""
        if members[0].goes_alone or len(members) == self._size:
            return 0
        oldest = min(each.came_at for each in members)
        return oldest + self._wait_seconds - asyncio.get_running_loop().time()

    def _take_off(self, members: list[Member]) -> None:
        for member in members:
            member.start_clock()
        self._observe_size(len(members))
        # A batch belongs to the trace of none of its members.
        context = members[0].context if len(members) == 1 else Context()
        flight = asyncio.create_task(self._fly(members), context=context)
        self._flights[flight] = members
        flight.add_done_callback(self._land)

    def _land(self, flight: asyncio.Task[None]) -> None:
        for member in self._flights.pop(flight):
            if member.answer.done():
                continue
            if flight.cancelled():
                member.answer.cancel()  # the process itself ends
            elif (error := flight.exception()) is not None:
                member.settle(error)  # whoever asked decides
            else:
                self._wait(member)
        self._depart()
        self._when_landed()

    async def _fly(self, members: list[Member]) -> None:
        outcomes = await self._outcomes(members)
        for member, outcome in zip(members, outcomes, strict=True):
            if outcome is not None:
                member.settle(outcome)

    async def _outcomes(self, members: list[Member]) -> Sequence[_Outcome | None]:
        """Return what came of each; `None` is to be asked for again, alone."""
        try:
            if len(members) == 1:
                return [await self._ask(members, members[0].payload)]
            return await self._shared(members)
        except ModelRefusedError as refused:
            is_shared = len(members) > 1
            return [ModelRefusedError(refused.answer, is_shared=is_shared) for _ in members]
        except ModelBusyError as busy:
            return [ModelBusyError(str(busy)) for _ in members]
        except ModelFaultError as failure:
            fault, said = failure.fault, failure.answer
            return [ModelFaultError(fault.code, fault.message, said) for _ in members]

    async def _shared(self, members: list[Member]) -> Sequence[_Outcome | None]:
        try:
            answer = await self._ask(members, batch_of([each.payload for each in members]))
            with closing(answer):
                return await outputs_of(answer, len(members))
        except ModelFaultError as failure:
            if _is_lost(failure):
                raise
            return _one_by_one(members, failure.fault.message)
        except NotABatchError as wrong:
            return _one_by_one(members, str(wrong))

    async def _ask(self, members: list[Member], payload: Loaded) -> Answer:
        ids = RequestId(",".join(each.request.request_id for each in members))
        left = max(each.ends_at for each in members) - asyncio.get_running_loop().time()
        call = members[0].call  # those that share a call have none of their own
        return await self._model_server.predict(ids, payload, call, left + _GRACE_SECONDS)


def _is_lost(failure: ModelFaultError) -> bool:
    """Whether the model server did not live to answer, or did not answer in time."""
    lost = {FaultCode.MODEL_UNAVAILABLE, FaultCode.MODEL_PREDICT_TIMEOUT}
    return failure.answer is None and failure.fault.code in lost


def _one_by_one(members: list[Member], reason: str) -> list[None]:
    logger.warning("batch refused", extra={"requests": len(members), "reason": reason})
    for member in members:
        member.goes_alone = True
    return [None] * len(members)
