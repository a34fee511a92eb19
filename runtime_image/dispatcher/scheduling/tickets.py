"""Requests' places in a worker, and those that wait for their turn."""

import asyncio
import heapq
from dataclasses import dataclass, field
from enum import IntEnum


class Stage(IntEnum):
    """Where a request is inside this worker."""

    FETCHED = 0
    ON_DECK = 1
    RUNNING = 2
    ENDING = 3
    SET_ASIDE = 4
    """Its end, or its input, waits for a place of its caller's."""

    GONE = 5


@dataclass(eq=False)
class Ticket:
    """One request's place in the worker."""

    priority: int
    stage: Stage = Stage.FETCHED


@dataclass(order=True)
class Waiter:
    """A request that waits for its turn; the highest priority goes first, then the oldest."""

    priority: int
    sequence: int
    ticket: Ticket = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


def drop_cancelled(waiters: list[Waiter]) -> None:
    """Remove those from the front of a heap that wait no more."""
    while waiters and waiters[0].granted.done():
        heapq.heappop(waiters)
