"""Notifications that a test can look at, and signing secrets that it chooses."""

from collections.abc import Sequence

from penstock.contracts.errors import TopicRefusedError
from penstock.contracts.notification import Notification
from penstock.contracts.queue_text import travels


class InMemoryNotifier:
    """`Notifier` that keeps what it was told."""

    def __init__(self) -> None:
        self.published: list[Notification] = []
        self.sent: list[tuple[str, str]] = []
        """Topics of callers, and what was sent to each."""

        self.refusing: set[str] = set()
        """Topics that take nothing from us."""

    def publish_to(self, topic_arn: str, text: str) -> None:
        """Keep a message."""
        if topic_arn in self.refusing:
            raise TopicRefusedError(f"topic {topic_arn} refused a message: NotFound")
        self.sent.append((topic_arn, text))

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        """Keep the notifications; a subscribed queue would never see what cannot travel."""
        self.published.extend(one for one in notifications if travels(one.encoded()))
        return []


class InMemorySigningSecrets:
    """`SigningSecrets` as given, newest first."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = secrets

    def active(self) -> Sequence[str]:
        """Return the secrets."""
        return self._secrets
