"""The three lanes as lists, with SQS's visibility and receipts."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import RLock

from penstock.adapters.in_memory.dead_letters import InMemoryDeadLetterQueue
from penstock.adapters.visibility import delay, visibility_seconds
from penstock.contracts.errors import QueueGoneError
from penstock.contracts.message import QueueMessage
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.queue_text import travels
from penstock.contracts.request import RequestId

_MOST_PER_RECEIVE = 10


class InvalidMessageContentsError(Exception):
    """A message has characters that SQS refuses; AWS's own error, which nobody expects."""


@dataclass
class _Waiting:
    message: QueueMessage
    tenant: str
    visible_at: datetime
    receipt: str | None = None
    receive_count: int = 0


class InMemoryRequestQueue:
    """`RequestQueue` that any number of threads may share; a receive never waits."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_receives: int | None = None,
        dead_letters: InMemoryDeadLetterQueue | None = None,
    ) -> None:
        """Hold nothing; a message received `max_receives` times moves to the dead letters."""
        self._clock = clock
        self._max_receives = max_receives
        self._dead_letters = dead_letters
        self._lanes: tuple[list[_Waiting], ...] = ([], [], [])
        self._receipts = count(1)
        self._lock = RLock()
        self.is_gone = False
        """Whether its deployment was removed."""

    def send(
        self, message: QueueMessage, *, priority: int, tenant: str, delay_seconds: float = 0
    ) -> None:
        """Make `message` visible in the lane, now or later; what SQS would refuse is an error."""
        if self.is_gone:
            raise QueueGoneError("send message")
        if not travels(message.encoded()):
            raise InvalidMessageContentsError(message.request_id)
        with self._lock:
            visible_at = self._clock() + timedelta(seconds=delay(delay_seconds))
            self._lanes[priority].append(_Waiting(message, tenant, visible_at))

    def send_many(
        self, messages: Sequence[QueueMessage], *, priority: int, tenant: str
    ) -> Collection[RequestId]:
        """Make messages visible in the lane; all are taken."""
        for message in messages:
            self.send(message, priority=priority, tenant=tenant)
        return []

    def receive(
        self,
        *,
        priority: int,
        max_messages: int,
        wait_seconds: int,  # noqa: ARG002 - time stands still
        visible_after_seconds: float,
    ) -> Sequence[Delivery]:
        """Take messages of one lane, first in first out."""
        with self._lock:
            now = self._clock()
            self._move_to_dead_letters(priority)
            visible = [waiting for waiting in self._lanes[priority] if waiting.visible_at <= now]
            deliveries = []
            for waiting in visible[: min(max_messages, _MOST_PER_RECEIVE)]:
                waiting.receipt = f"receipt-{next(self._receipts)}"
                waiting.receive_count += 1
                waiting.visible_at = now + timedelta(seconds=math.ceil(visible_after_seconds))
                deliveries.append(
                    Delivery(
                        message=waiting.message,
                        priority=priority,
                        receipt=waiting.receipt,
                        received_at=now,
                        receive_count=waiting.receive_count,
                        tenant=waiting.tenant,
                    )
                )
            return deliveries

    def hide(self, deliveries: Sequence[Delivery], seconds: float) -> Sequence[Delivery]:
        """Keep messages invisible for so long from now; return those that are ours no more."""
        with self._lock:
            now = self._clock()
            stale = []
            for delivery in deliveries:
                waiting = self._of(delivery)
                if waiting is None or waiting.visible_at <= now:
                    stale.append(delivery)
                    continue
                held_seconds = (now - delivery.received_at).total_seconds()
                hidden_seconds = visibility_seconds(seconds, held_seconds)
                waiting.visible_at = now + timedelta(seconds=hidden_seconds)
            return stale

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good; a receipt of an earlier receive does nothing."""
        with self._lock:
            for delivery in deliveries:
                if waiting := self._of(delivery):
                    self._lanes[delivery.priority].remove(waiting)

    def depth(self) -> QueueDepth:
        """Return the sum over the lanes."""
        with self._lock:
            now = self._clock()
            hidden = [waiting.visible_at > now for lane in self._lanes for waiting in lane]
            return QueueDepth(queued=hidden.count(False), in_progress=hidden.count(True))

    def _move_to_dead_letters(self, priority: int) -> None:
        """Do as SQS: a message that was received too often is moved when it is asked for again."""
        if self._max_receives is None or self._dead_letters is None:
            return
        lane, now = self._lanes[priority], self._clock()
        for waiting in list(lane):
            if waiting.receive_count >= self._max_receives and waiting.visible_at <= now:
                lane.remove(waiting)
                self._dead_letters.receive_moved(waiting.message.encoded())

    def _of(self, delivery: Delivery) -> _Waiting | None:
        lane = self._lanes[delivery.priority]
        return next((waiting for waiting in lane if waiting.receipt == delivery.receipt), None)
