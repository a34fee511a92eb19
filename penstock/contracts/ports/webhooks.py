"""Sending webhooks, and the queues they wait and end in."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from penstock.contracts.errors import PenstockError
from penstock.contracts.http.signing_secrets import SigningSecretSet
from penstock.contracts.http.webhook_url import WebhookUrl
from penstock.contracts.notification import Notification

MOST_DEFERRALS = 100
"""A message received more often is sent even to a host that is avoided, so that it ends."""

RECEIVES_BESIDE_ATTEMPTS = 2 * MOST_DEFERRALS
"""How often a message may be received without an attempt before SQS itself gives up on it.

Attempts are counted in the row, so SQS's own count is only a safety net: half of these are for
deferrals, the other half for failures of AWS and of our processes.
"""


class UnreachableReceiverError(PenstockError):
    """The receiver did not answer in time, or not in HTTP; it may later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ReceiverAnswer:
    """What counts of a receiver's answer."""

    status: int
    retry_after: str | None = None
    """The header of that name: seconds, or a date."""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the webhook now."""
        return self.status // 100 == 2  # noqa: PLR2004 - HTTP's class of successes

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no webhook any more."""
        return self.status == HTTPStatus.GONE

    @property
    def shows_trouble(self) -> bool:
        """Whether the host itself is in trouble, rather than at odds with this webhook."""
        return (
            self.status == HTTPStatus.TOO_MANY_REQUESTS
            or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )

    @property
    def reason(self) -> str:
        """Why it is no success, in words."""
        if self.is_gone:
            return "the receiver answered 410: it wants no webhook any more"
        if self.status // 100 == 3:  # noqa: PLR2004 - HTTP's class of redirects
            return f"the receiver answered {self.status}: redirects are not followed"
        return f"the receiver answered {self.status}"


class WebhookSender(Protocol):
    """Carries one POST to a receiver."""

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> ReceiverAnswer:
        """Return the receiver's answer.

        Raises:
            ForbiddenTargetError: its name leads where webhooks must not go.
            UnreachableReceiverError: there was no answer.
        """
        ...


class WebhookQueue(Protocol):
    """Where webhooks wait, and the dead letters beside it. All methods raise `UnavailableError`."""

    def send(self, notification: Notification) -> None:
        """Make a webhook due now."""
        ...

    def hide(self, receipt: str, seconds: float) -> None:
        """Keep a received message invisible for so long from now, but at most about 12 h."""
        ...

    def bury(self, body: str, reason: str) -> None:
        """Keep a copy of a message among the dead letters (`DeadLetterQueue`)."""
        ...


class SigningSecretStore(Protocol):
    """All signing secrets of a stack, for who rotates them. Raises `UnavailableError`."""

    def read(self) -> SigningSecretSet:
        """Return what is stored now."""
        ...

    def write(self, secrets: SigningSecretSet) -> None:
        """Replace what is stored; functions sign with it within a minute."""
        ...
