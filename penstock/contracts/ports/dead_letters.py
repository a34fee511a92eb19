"""What could not be delivered, kept to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from penstock.contracts.ports.requests import Delivery
from penstock.contracts.request import RequestId


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue, held for a moment by whoever looks at it."""

    body: str
    """As it was sent; a request's is a `QueueMessage`, a webhook's a `Notification`."""

    receipt: str
    sent_at: datetime
    request_id: RequestId | None
    """`None` when the body cannot be read."""

    priority: int | None = None
    """The lane it came from, when a worker buried it."""

    reason: str = ""
    """Why a worker buried it; empty when SQS gave up on it."""


class DeadLetterQueue(Protocol):
    """One dead-letter queue. All methods raise `UnavailableError`."""

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep a copy of a message whose request used up its attempts."""
        ...

    def look(self, max_letters: int, hidden_seconds: float) -> Sequence[DeadLetter]:
        """Return up to so many letters and hide them for so long from others who look.

        Fewer may come than lie there; ask again until none comes.
        """
        ...

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """Show letters to others at once; a letter that is gone is no error."""
        ...

    def drop(self, letters: Sequence[DeadLetter]) -> None:
        """Remove letters for good."""
        ...

    def count(self) -> int:
        """Return how many lie there; SQS settles within a minute."""
        ...
