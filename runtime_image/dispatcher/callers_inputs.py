"""Inputs in callers' buckets: those that hang stop nobody else's requests."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from penstock.contracts.errors import PenstockError
from penstock.contracts.request import Tenant
from runtime_image.dispatcher.concurrency import Threads
from runtime_image.dispatcher.scheduling.gate import Gate
from runtime_image.dispatcher.scheduling.tickets import Ticket

_SLOW_SECONDS = 2.0
"""An input that is not here by then takes no place on deck."""

_LOADS_PER_TENANT = 4
"""At once: those that hang leave threads to others."""


class LoadsTakenError(PenstockError):
    """Inputs of the same tenant take long, as many as may be loaded at once."""


class CallersInputs:
    """Lends threads for loading, of which no tenant gets many."""

    def __init__(self, gate: Gate, threads: Threads) -> None:
        """Wire it; `threads` are for nothing else."""
        self._gate = gate
        self._threads = threads
        self._turns: dict[Tenant, asyncio.Semaphore] = {}
        self._late: Counter[Tenant] = Counter()

    @asynccontextmanager
    async def turn(self, tenant: Tenant, ticket: Ticket) -> AsyncIterator[Threads]:
        """Lend threads for one input; while it is late its request is not counted on deck.

        Raises:
            LoadsTakenError: the tenant's other inputs are late.
        """
        turn = self._turns.setdefault(tenant, asyncio.Semaphore(_LOADS_PER_TENANT))
        await self._take(turn, tenant)
        late: list[Ticket] = []

        def set_aside() -> None:
            late.append(ticket)
            self._late[tenant] += 1
            self._gate.set_aside(ticket)

        # One that is late says what to expect of the tenant's next.
        wait_seconds = 0.0 if self._late[tenant] else _SLOW_SECONDS
        timer = asyncio.get_running_loop().call_later(wait_seconds, set_aside)
        try:
            yield self._threads
        finally:
            timer.cancel()
            turn.release()
            if late:
                self._late[tenant] -= 1
                self._gate.back_on_deck(ticket)

    async def _take(self, turn: asyncio.Semaphore, tenant: Tenant) -> None:
        # Where all turns are held by inputs that are late, none is free soon.
        wait_seconds = 0.0 if self._late[tenant] >= _LOADS_PER_TENANT else _SLOW_SECONDS
        try:
            async with asyncio.timeout(wait_seconds):
                await turn.acquire()
        except TimeoutError as error:
            raise LoadsTakenError("inputs of its tenant take long") from error
