"""A dead-letter queue as a list, with SQS's visibility and receipts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from threading import RLock

from penstock.adapters.addressee import addressee
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.dead_letters import DeadLetter
from penstock.contracts.ports.requests import Delivery


@dataclass
class _Lying:
    letter: DeadLetter
    visible_at: datetime


class InMemoryDeadLetterQueue:
    """`DeadLetterQueue` that any number of threads may share."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lying: list[_Lying] = []
        self._receipts = count(1)
        self._lock = RLock()

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep a copy of a message, with the reason and the lane it came from."""
        self._keep(delivery.message.encoded(), priority=delivery.priority, reason=reason)

    def receive_moved(self, body: str) -> None:
        """Keep a message as SQS moves it here, or a webhook that was never taken."""
        self._keep(body, priority=None, reason="")

    def look(self, max_letters: int, hidden_seconds: float) -> Sequence[DeadLetter]:
        """Return letters and hide them for so long."""
        with self._lock:
            now = self._clock()
            seen = [lying for lying in self._lying if lying.visible_at <= now][:max_letters]
            for lying in seen:
                lying.letter = replace(lying.letter, receipt=f"receipt-{next(self._receipts)}")
                lying.visible_at = now + timedelta(seconds=math.ceil(hidden_seconds))
            return [lying.letter for lying in seen]

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """Show letters to others at once."""
        receipts = {letter.receipt for letter in letters}
        with self._lock:
            for lying in self._lying:
                if lying.letter.receipt in receipts:
                    lying.visible_at = self._clock()

    def drop(self, letters: Sequence[DeadLetter]) -> None:
        """Remove letters for good; a receipt of an earlier look does nothing."""
        receipts = {letter.receipt for letter in letters}
        with self._lock:
            self._lying = [each for each in self._lying if each.letter.receipt not in receipts]

    def count(self) -> int:
        """Return how many lie there, hidden ones included."""
        with self._lock:
            return len(self._lying)

    def _keep(self, body: str, *, priority: int | None, reason: str) -> None:
        with self._lock:
            now = self._clock()
            letter = DeadLetter(
                body=body,
                receipt="",
                sent_at=now,
                request_id=addressee(body),
                priority=priority,
                reason=reason,
            )
            self._lying.append(_Lying(letter, visible_at=now))
