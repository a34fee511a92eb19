"""The ports in this process: the in-memory adapters by the real clock, and queues that wait."""

import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from threading import Condition

from bench.backends.requests import Waiting
from penstock.adapters.in_memory import (
    InMemoryDeadLetterQueue,
    InMemoryNotifier,
    InMemoryPayloadStore,
    InMemoryRequestStore,
    InMemoryResultStore,
)
from penstock.contracts.message import QueueMessage
from penstock.contracts.notification import Notification
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.ports.objects import Content
from penstock.contracts.ports.requests import Delivery, QueueDepth
from penstock.contracts.request import AsyncRequest, RequestId
from runtime_image.dispatcher.wiring import Ports

_MOST_PER_RECEIVE = 10


class WaitingQueue:
    """`RequestQueue` whose receive waits for a message, and takes as long with any number queued.

    A message that was received is not shown again by time alone: no worker dies here.
    """

    def __init__(self) -> None:
        self._lanes: tuple[deque[tuple[QueueMessage, int]], ...] = (deque(), deque(), deque())
        self._arrived = tuple(Condition() for _ in self._lanes)
        self._held: dict[str, QueueMessage] = {}
        self._receipts = count(1)

    def send(
        self,
        message: QueueMessage,
        *,
        priority: int,
        tenant: str,  # noqa: ARG002 - one tenant
        delay_seconds: float = 0,  # noqa: ARG002 - nothing is refused here
    ) -> None:
        """Make `message` visible in the lane."""
        with self._arrived[priority]:
            self._lanes[priority].append((message, 1))
            self._arrived[priority].notify()

    def send_many(
        self, messages: Sequence[QueueMessage], *, priority: int, tenant: str
    ) -> Collection[RequestId]:
        """Make messages visible in a lane; all are taken."""
        for message in messages:
            self.send(message, priority=priority, tenant=tenant)
        return []

    def receive(
        self,
        *,
        priority: int,
        max_messages: int,
        wait_seconds: int,
        visible_after_seconds: float,  # noqa: ARG002 - no worker dies here
    ) -> Sequence[Delivery]:
        """Take messages of one lane, first in first out."""
        lane, arrived = self._lanes[priority], self._arrived[priority]
        with arrived:
            arrived.wait_for(lambda: lane, wait_seconds)
            now = utc_now()
            taken: list[Delivery] = []
            while lane and len(taken) < min(max_messages, _MOST_PER_RECEIVE):
                message, times = lane.popleft()
                receipt = str(next(self._receipts))
                self._held[receipt] = message
                taken.append(Delivery(message, priority, receipt, now, times))
            return taken

    def hide(self, deliveries: Sequence[Delivery], seconds: float) -> Sequence[Delivery]:
        """Show messages again at once; while they are held they are hidden anyway."""
        if seconds > 0:
            return []
        for delivery in deliveries:
            if message := self._held.pop(delivery.receipt, None):
                with self._arrived[delivery.priority]:
                    again = (message, delivery.receive_count + 1)
                    self._lanes[delivery.priority].appendleft(again)
                    self._arrived[delivery.priority].notify()
        return []

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good."""
        for delivery in deliveries:
            self._held.pop(delivery.receipt, None)

    def depth(self) -> QueueDepth:
        """Return the sum over the lanes."""
        return QueueDepth(queued=sum(map(len, self._lanes)), in_progress=len(self._held))


class TimedNotifier(InMemoryNotifier):
    """`Notifier` that remembers when each request was announced."""

    def __init__(self) -> None:
        super().__init__()
        self.published_at: dict[RequestId, float] = {}

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        """Keep the moment."""
        now = time.monotonic()
        self.published_at.update((each.request_id, now) for each in notifications)
        return []


class ForgetfulRequestStore(InMemoryRequestStore):
    """`RequestStore` that keeps no row that was announced."""

    def mark_notified(
        self,
        ended: AsyncRequest,
        failure: StoredObject | None = None,  # noqa: ARG002 - nothing is kept
    ) -> None:
        """Drop the row."""
        with self._lock:
            self._rows.pop(ended.request_id, None)
            self._due.pop(ended.request_id, None)


class ForgetfulResultStore(InMemoryResultStore):
    """`ResultStore` that keeps nothing."""

    def _put_once(  # noqa: PLR0913 - as it overrides
        self,
        place: Location,
        body: Content,
        content_type: str,
        *,
        owner: RequestId | None = None,
        http_status: int | None = None,
        attempt: int = 0,
    ) -> StoredObject:
        stored = super()._put_once(
            place, body, content_type, owner=owner, http_status=http_status, attempt=attempt
        )
        self.remove(stored)
        return stored


class ForgetfulNotifier(TimedNotifier):
    """`Notifier` that keeps nothing."""

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:  # noqa: ARG002
        """Take them."""
        return []


class InProcess:
    """All that a dispatcher and an intake share, without AWS."""

    def __init__(self, *, forgets: bool = False) -> None:
        """Make everything empty; what `forgets` keeps nothing of requests that ended."""
        self.requests = (ForgetfulRequestStore if forgets else InMemoryRequestStore)(utc_now)
        self.results = ForgetfulResultStore() if forgets else InMemoryResultStore()
        self.notifier: TimedNotifier = ForgetfulNotifier() if forgets else TimedNotifier()
        self.payloads = InMemoryPayloadStore()
        self.queue = WaitingQueue()

    def ports(self) -> Ports:
        """Return the outside of a dispatcher."""
        return Ports(
            requests=self.requests,
            queue=self.queue,
            dead_letters=InMemoryDeadLetterQueue(utc_now),
            payloads=self.payloads,
            results=self.results,
            notifier=self.notifier,
        )

    def feed(self, waiting: Iterable[Waiting]) -> None:
        """Accept requests."""
        for request in waiting:
            self.requests.accept(request.row)
            self.queue.send(request.message, priority=request.priority, tenant=request.row.tenant)
