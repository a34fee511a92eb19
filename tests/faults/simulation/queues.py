"""Queues that misbehave as SQS may: twice, late, or into the dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from penstock.adapters.in_memory import InMemoryNotifier, InMemoryRequestQueue
from penstock.contracts.message import QueueMessage
from penstock.contracts.notification import Notification
from penstock.contracts.ports.clock import Clock
from penstock.contracts.request import RequestId

_LAMBDA_VISIBILITY = timedelta(seconds=60)


class MisbehavingQueue(InMemoryRequestQueue):
    """The lanes, and what may happen to a message in them by itself."""

    def has_visible(self, priority: int) -> bool:
        now = self._clock()
        return any(waiting.visible_at <= now for waiting in self._lanes[priority])

    @property
    def message_ids(self) -> list[RequestId]:
        return [waiting.message.request_id for lane in self._lanes for waiting in lane]

    def copy_of_any(self) -> QueueMessage | None:
        return next((waiting.message for lane in self._lanes for waiting in lane), None)

    def longest_hidden_seconds(self) -> float:
        now = self._clock()
        hidden = [(w.visible_at - now).total_seconds() for lane in self._lanes for w in lane]
        return max([0.0, *hidden])

    def lapse(self, choice: int) -> bool:
        """Deliver a message again although it is hidden."""
        hidden = [w for lane in self._lanes for w in lane if w.visible_at > self._clock()]
        if hidden:
            hidden[choice % len(hidden)].visible_at = self._clock()
        return bool(hidden)

    def delay(self, choice: int, seconds: float) -> bool:
        """Deliver a message later than it could be."""
        waiting = [w for lane in self._lanes for w in lane]
        if waiting:
            late = waiting[choice % len(waiting)]
            late.visible_at = max(late.visible_at, self._clock()) + timedelta(seconds=seconds)
        return bool(waiting)

    def lose(self, choice: int) -> QueueMessage | None:
        """Take a message out of its lane."""
        waiting = [(lane, w) for lane in self._lanes for w in lane]
        if not waiting:
            return None
        lane, lost = waiting[choice % len(waiting)]
        lane.remove(lost)
        return lost.message


@dataclass
class WebhookMessage:
    """A notification on its way to the webhooks function."""

    notification: Notification
    visible_at: datetime
    receipt: str = ""
    receive_count: int = 0


class InMemoryWebhookQueue:
    """The queue behind both topics that triggers the webhooks function."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._receipts = count(1)
        self.messages: list[WebhookMessage] = []
        self.buried: list[tuple[str, str]] = []
        """Bodies and reasons."""

    def send(self, notification: Notification) -> None:
        self.messages.append(WebhookMessage(notification, self._clock()))

    def receive(self) -> WebhookMessage | None:
        now = self._clock()
        message = next((m for m in self.messages if m.visible_at <= now), None)
        if message is not None:
            message.receipt = f"webhook-{next(self._receipts)}"
            message.receive_count += 1
            message.visible_at = now + _LAMBDA_VISIBILITY
        return message

    def hide(self, receipt: str, seconds: float) -> None:
        for message in self.messages:
            if message.receipt == receipt:
                message.visible_at = self._clock() + timedelta(seconds=seconds)

    def bury(self, body: str, reason: str) -> None:
        self.buried.append((body, reason))

    def delete(self, receipt: str) -> None:
        self.messages = [m for m in self.messages if m.receipt != receipt]


class FanOut(InMemoryNotifier):
    """The topics, with the subscription of the webhook queue."""

    def __init__(self, webhooks: InMemoryWebhookQueue) -> None:
        super().__init__()
        self._webhooks = webhooks
        self.refusals = 0
        """How many calls SNS answers with a refusal of every notification."""

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        if self.refusals:
            self.refusals -= 1
            return notifications
        for notification in notifications:
            if notification.has_webhook:
                self._webhooks.send(notification)
        return super().publish(notifications)
