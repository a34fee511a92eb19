"""What was seen of one request, from outside of its row."""

from dataclasses import dataclass, field


class BrokenInvariantError(AssertionError):
    """The stack did what it promises never to do."""


@dataclass
class Story:
    """What was seen of one request, from outside of its row."""

    is_acknowledged: bool = False
    rows: int = 0
    sends: int = 0
    deliveries: int = 0
    buried: int = 0
    claims: int = 0
    returns: int = 0
    """Claims that do not count as attempts, because the request was given back."""

    runs: int = 0
    asked_to_stop_at_claim: set[str] = field(default_factory=set)
    """Workers whose newest claim was of a request that its caller no longer wanted."""

    was_canceled_unclaimed: bool = False
    message_was_lost: bool = False
    event_ids: list[str] = field(default_factory=list)
    callers_messages: set[str] = field(default_factory=set)
    """What its caller's own topic was told; one text at most."""

    answered_faults: int = 0
    """How often a model server itself answered that it failed."""

    results: set[bytes] = field(default_factory=set)
    """What lay in its place after each write; one at most."""

    ends: int = 0
    webhooks_taken: int = 0
    webhooks_sent: int = 0
    is_gone: bool = False
    """Whether the receiver said that it wants no more."""
