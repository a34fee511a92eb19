"""The commands about webhooks, wired to a stack in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from penstock.adapters.in_memory import InMemoryDeadLetterQueue
from penstock.cli.webhooks.ports import WebhookPorts
from penstock.contracts.http.signing_secrets import SigningSecretSet
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.notification import Notification
from penstock.contracts.request import AsyncRequest, WebhookStatus
from tests.unit.cli.conftest import CommandLine, FakeConnections
from tests.unit.client.api import ScriptedApi
from tests.unit.functions.webhooks.deliveries import Receivers, RememberingQueue
from tests.unit.functions.world import World

URL = "https://hooks.example.com/done"


@dataclass
class StoredSecrets:
    """A `SigningSecretStore` in memory."""

    stored: SigningSecretSet

    def read(self) -> SigningSecretSet:
        return self.stored

    def write(self, secrets: SigningSecretSet) -> None:
        self.stored = secrets


@dataclass
class StackInMemory(FakeConnections):
    """What the commands find in the stack they are pointed at."""

    api: ScriptedApi = field(default_factory=lambda: ScriptedApi([]))
    world: World = field(default_factory=World)
    queue: RememberingQueue = field(default_factory=RememberingQueue)
    receivers: Receivers = field(default_factory=Receivers)
    letters: InMemoryDeadLetterQueue = field(init=False)
    secrets: StoredSecrets = field(
        default_factory=lambda: StoredSecrets(
            SigningSecretSet.model_validate({"secrets": ["whsec_first"]})
        )
    )

    def __post_init__(self) -> None:
        self.letters = InMemoryDeadLetterQueue(self.world.clock)

    @contextmanager
    def webhooks(self, stack_name: str | None) -> Iterator[WebhookPorts]:
        yield WebhookPorts(
            requests=self.world.requests,
            queue=self.queue,
            dead_letters=self.letters,
            secrets=self.secrets,
            sender=self.receivers,
            rules=WebhookRules(),
        )

    def given_up(self, webhook: str = URL) -> AsyncRequest:
        """Return a request whose webhook was given up."""
        row = self.world.succeeded(b"1", webhook=webhook)
        self.world.requests.count_webhook_attempt(row)
        self.world.requests.record_webhook(row, WebhookStatus.FAILED)
        self.letters.receive_moved(Notification.of(row).model_dump_json())
        return row


@pytest.fixture
def stack() -> StackInMemory:
    return StackInMemory()


@pytest.fixture
def penstock(stack: StackInMemory) -> CommandLine:
    return CommandLine(stack)
