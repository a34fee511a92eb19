"""Telling the world that requests ended, and the secrets webhooks are signed with."""

from collections.abc import Sequence
from typing import Protocol

from penstock.contracts.notification import Notification


class Notifier(Protocol):
    """The SNS topics `succeeded` and `failed`. Raises `UnavailableError`."""

    def publish_to(self, topic_arn: str, text: str) -> None:
        """Send one message to a topic of the caller's choice; raise `TopicRefusedError`.

        A topic that is gone or forbidden will not be there next time either.
        """
        ...

    def publish(self, notifications: Sequence[Notification]) -> Sequence[Notification]:
        """Announce ended requests, any number; return those that could not be announced."""
        ...


class SigningSecrets(Protocol):
    """The active webhook signing secrets. Raises `UnavailableError`."""

    def active(self) -> Sequence[str]:
        """Return the secrets, newest first; while there are none no webhook is sent."""
        ...
