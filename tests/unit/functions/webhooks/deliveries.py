"""The webhooks function in memory: receivers that answer as told, and a queue that remembers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.webhooks.content import WebhookContent
from functions.webhooks.hosts import Hosts
from functions.webhooks.service import Attempt, Received, WebhookService
from penstock.adapters.in_memory import InMemorySigningSecrets
from penstock.contracts.http.webhook_url import WebhookRules, WebhookUrl
from penstock.contracts.notification import Notification
from penstock.contracts.ports.webhooks import ReceiverAnswer, WebhookSender
from penstock.contracts.request import AsyncRequest, WebhookStatus
from tests.unit.functions.world import World

URL = "https://hooks.example.com/done"
SECRETS = ("whsec_new", "whsec_old")

Answer = int | ReceiverAnswer | Exception


@dataclass
class Receivers:
    """Answers as told, 200 by default, and remembers what came."""

    answers: list[Answer] = field(default_factory=list)
    posts: list[tuple[WebhookUrl, bytes, Mapping[str, str]]] = field(default_factory=list)

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> ReceiverAnswer:
        self.posts.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return ReceiverAnswer(answer) if isinstance(answer, int) else answer


@dataclass
class RememberingQueue:
    """A `WebhookQueue` that remembers what it was asked for."""

    sent: list[Notification] = field(default_factory=list)
    hidden: list[tuple[str, float]] = field(default_factory=list)
    buried: list[tuple[str, str]] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        self.sent.append(notification)

    def hide(self, receipt: str, seconds: float) -> None:
        self.hidden.append((receipt, seconds))

    def bury(self, body: str, reason: str) -> None:
        self.buried.append((body, reason))


@dataclass
class Webhooks:
    """The service and everything around it."""

    world: World
    secrets: tuple[str, ...] = SECRETS
    receivers: Receivers = field(default_factory=Receivers)
    queue: RememberingQueue = field(default_factory=RememberingQueue)
    sender: WebhookSender | None = None
    max_body_bytes: int = 5_000_000
    max_attempts: int = 8
    allow_local: bool = False
    service: WebhookService = field(init=False)

    def __post_init__(self) -> None:
        faults = self.world.faults
        self.service = WebhookService(
            requests=faults.around("requests", self.world.requests),
            content=WebhookContent(
                results=faults.around("results", self.world.results),
                max_body_bytes=self.max_body_bytes,
                result_url_seconds=3_600,
            ),
            secrets=InMemorySigningSecrets(*self.secrets),
            sender=self.sender or self.receivers,
            queue=faults.around("queue", self.queue),
            hosts=Hosts(self.world.clock, patience_seconds=0),
            rules=WebhookRules(allow_local=self.allow_local),
            max_attempts=self.max_attempts,
            clock=self.world.clock,
            jitter=lambda: 0.5,
        )

    def deliver(self, row: AsyncRequest, receive_count: int = 1) -> Attempt:
        received = Received(Notification.of(row), "receipt", receive_count)
        return self.service.deliver(received)

    def status_of(self, row: AsyncRequest) -> WebhookStatus:
        return self.world.row(row.request_id).webhook_status

    def attempts_of(self, row: AsyncRequest) -> int:
        return self.world.row(row.request_id).webhook_attempts

    def delays(self) -> list[float]:
        return [seconds for _, seconds in self.queue.hidden]

    def sent(self) -> dict[str, Any]:
        """Return the body of the only post."""
        ((_, body, _),) = self.receivers.posts
        return dict(json.loads(body))
