"""Notifications that a test can look at, and signing secrets that it chooses."""

from collections.abc import Sequence

from penstock.contracts.notification import Notification


class InMemoryNotifier:
    """`Notifier` that keeps what it was told."""

    def __init__(self) -> None:
        self.published: list[Notification] = []

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        """Keep the notifications; none is ever refused."""
        self.published.extend(notifications)
        return []


class InMemorySigningSecrets:
    """`SigningSecrets` as given, newest first."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = secrets

    def active(self) -> Sequence[str]:
        """Return the secrets."""
        return self._secrets
