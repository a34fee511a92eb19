"""What a worker may fetch, claim and start, and in which order."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable

from penstock.contracts.errors import PenstockError
from runtime_image.dispatcher.scheduling.pace import Pace
from runtime_image.dispatcher.scheduling.tickets import Stage, Ticket, Waiter, drop_cancelled

_FETCH_LIMIT = 50
"""Most messages fetched ahead in one lane: enough for the shortest requests, little memory."""

RECEIVE_LIMIT = 10
"""Most messages of one SQS receive."""

_PLENTY = 2 * RECEIVE_LIMIT
"""With so many at hand, the next receive can wait until it brings its full number."""

_DECK_SECONDS = 0.1
"""How much work lies claimed and loaded on deck, so that a slot never waits for AWS."""

_ENDING_LIMIT = 100
"""With so many ends still to be told, no more is claimed: a fast model must not fill the memory."""


class GateClosedError(PenstockError):
    """The worker drains: nothing more is claimed or started."""

    def __init__(self) -> None:
        super().__init__("the worker drains")


_WAITING = (Stage.FETCHED, Stage.ON_DECK)


class Gate:
    """Slots of the model server, handed out by priority; fetching ahead stays within a budget.

    Fetched messages are hidden from other workers, so no more are fetched than would start here
    within `hold_budget_seconds` at the measured service time: 10 ms requests keep the slot busy,
    10-minute requests are left to whoever is free.

    Where slots are also held by requests that wait for the model server to take them, in a batch,
    `under_way_below` says how many of lower priority than this it has: the others of lower
    priority are overtaken, by as many as there are slots. So no more than twice as many requests
    as slots are ever here with their payloads.

    `withheld` says how many slots must not be used now.
    """

    def __init__(
        self,
        slots: int,
        hold_budget_seconds: float,
        *,
        low_priority_share: float = 0.0,
        under_way_below: Callable[[int], int] | None = None,
        withheld: Callable[[], int] = lambda: 0,
    ) -> None:
        self._all_slots = slots
        self._withheld = withheld
        self._hold_budget_seconds = hold_budget_seconds
        self._low_priority_every = round(1 / low_priority_share) if low_priority_share else 0
        self._under_way_below = under_way_below
        self._pace = Pace(slots, hold_budget_seconds)
        self._counts: Counter[tuple[Stage, int]] = Counter()
        self._deck_waiters: list[Waiter] = []
        self._slot_waiters: list[Waiter] = []
        self._sequence = 0
        self._starts = 0
        self._changed = asyncio.Event()
        self._is_closed = False

    def close(self) -> None:
        """Turn away all that wait for a turn, now and from now on; running calls go on."""
        self._is_closed = True
        for waiter in (*self._deck_waiters, *self._slot_waiters):
            if not waiter.granted.done():
                waiter.granted.set_exception(GateClosedError())
        self._changed.set()

    @property
    def running(self) -> int:
        """How many calls to the model server are in flight."""
        return sum(self._counts[Stage.RUNNING, p] for p in range(3))

    @property
    def _slots(self) -> int:
        return self._all_slots - self._withheld()

    @property
    def _has_many_to_tell(self) -> bool:
        return self._ahead_of(2, Stage.ENDING) >= _ENDING_LIMIT

    def _free_slots(self, priority: int) -> int:
        return self._slots - self.running + self._overtaken_by(priority)

    def _overtaken_by(self, priority: int) -> int:
        if self._under_way_below is None:
            return 0  # who has a slot has the model server
        held = sum(self._counts[Stage.RUNNING, p] for p in range(priority + 1, 3))
        return min(held - self._under_way_below(priority), self._slots)

    def overflows(self, priority: int, uncounted: int = 0) -> bool:
        """Whether a message just fetched would not start within the budget.

        `uncounted` were handed over just before it, and are not admitted yet.
        """
        waiting = self._ahead_of(priority, *_WAITING) + uncounted
        is_guaranteed = self.is_guaranteed(priority) and not uncounted
        return waiting >= self._would_start(priority) and not is_guaranteed

    def _would_start(self, priority: int) -> int:
        return self._free_slots(priority) + self._pace.starts_within(self._hold_budget_seconds)

    def _ahead_of(self, priority: int, *stages: Stage) -> int:
        return sum(self._counts[stage, p] for stage in stages for p in range(priority + 1))

    def room(self, priority: int) -> int:
        """Return how many messages of this priority may be fetched now."""
        if self._is_closed or self._has_many_to_tell or self._slots <= 0:
            return 0
        ahead = self._ahead_of(priority, *_WAITING)
        room = min(self._would_start(priority), _FETCH_LIMIT) - ahead
        return max(room, 1 if self.is_guaranteed(priority) else 0)

    def is_guaranteed(self, priority: int) -> bool:
        """Whether one message must be fetched so that the share of low priority has a start."""
        holds = any(self._counts[stage, priority] for stage in _WAITING)
        return bool(self._low_priority_every) and not holds and not self._is_closed

    def is_worth_a_receive(self, priority: int) -> bool:
        """Whether so many may be fetched that asking for them pays.

        Each start makes room for one more; while plenty is at hand, that is not worth a call.
        """
        room = self.room(priority)
        if room <= 0 or room >= RECEIVE_LIMIT or self.is_guaranteed(priority):
            return room > 0
        return self._ahead_of(priority, *_WAITING) < _PLENTY

    async def change(self) -> None:
        """Wait until anything moved."""
        self._changed.clear()
        await self._changed.wait()

    def admit(self, priority: int) -> Ticket:
        """Count a fetched message."""
        ticket = Ticket(priority)
        self._counts[ticket.stage, priority] += 1
        return ticket

    async def to_deck(self, ticket: Ticket) -> None:
        """Wait until the request may be claimed."""
        await self._wait(self._deck_waiters, ticket)

    async def to_slot(self, ticket: Ticket) -> None:
        """Wait until the request may start."""
        await self._wait(self._slot_waiters, ticket)

    def end(self, ticket: Ticket, ran_seconds: float | None = None) -> None:
        """Free the slot of a request whose end is to be told; a run teaches the service time."""
        if ran_seconds is not None:
            self._pace.learn(ran_seconds)
        self._move(ticket, Stage.ENDING)
        self._grant()

    def set_aside(self, ticket: Ticket) -> None:
        """Count what waits for a place of its caller's no longer."""
        self._move(ticket, Stage.SET_ASIDE)
        self._grant()

    def back_on_deck(self, ticket: Ticket) -> None:
        """Count a claimed request again that was set aside while its input was late."""
        self._move(ticket, Stage.ON_DECK)

    def leave(self, ticket: Ticket) -> None:
        """Take a request out, wherever it is."""
        self._move(ticket, Stage.GONE)
        self._grant()

    def look_again(self) -> None:
        """Let those have their turn who may overtake, now that fewer are under way."""
        self._changed.set()
        self._grant()

    def _move(self, ticket: Ticket, stage: Stage) -> None:
        if ticket.stage is not Stage.GONE:
            self._counts[ticket.stage, ticket.priority] -= 1
        if stage is not Stage.GONE:
            self._counts[stage, ticket.priority] += 1
        ticket.stage = stage
        self._changed.set()

    async def _wait(self, waiters: list[Waiter], ticket: Ticket) -> None:
        if self._is_closed:
            raise GateClosedError
        self._sequence += 1
        granted = asyncio.get_running_loop().create_future()
        heapq.heappush(waiters, Waiter(ticket.priority, self._sequence, ticket, granted))
        self._grant()
        await granted

    def _grant(self) -> None:
        while waiter := self._next_to_start():
            self._move(waiter.ticket, Stage.RUNNING)
            waiter.granted.set_result(None)
        while waiter := self._next_on_deck():
            self._move(waiter.ticket, Stage.ON_DECK)
            waiter.granted.set_result(None)

    def _next_on_deck(self) -> Waiter | None:
        drop_cancelled(self._deck_waiters)
        if not self._deck_waiters or self._has_many_to_tell:
            return None
        # Only what goes first counts: work of lower priority on deck never blocks higher.
        priority = self._deck_waiters[0].priority
        deck = self._ahead_of(priority, Stage.ON_DECK)
        if deck >= self._free_slots(priority) + self._pace.starts_within(_DECK_SECONDS):
            return None
        return heapq.heappop(self._deck_waiters)

    def _next_to_start(self) -> Waiter | None:
        drop_cancelled(self._slot_waiters)
        if not self._slot_waiters or self._free_slots(self._slot_waiters[0].priority) <= 0:
            return None
        if self.running >= self._slots:
            return heapq.heappop(self._slot_waiters)  # it overtakes
        self._starts += 1
        if self._low_priority_every and self._starts % self._low_priority_every == 0:
            waiting = [w for w in self._slot_waiters if not w.granted.done()]
            lowest = min(waiting, key=lambda w: (-w.priority, w.sequence))
            self._slot_waiters.remove(lowest)
            heapq.heapify(self._slot_waiters)
            return lowest
        return heapq.heappop(self._slot_waiters)
