"""What was seen of one request, from outside of its row."""

from dataclasses import dataclass, field


class BrokenInvariantError(AssertionError):
    """The stack did what it promises never to do."""


@dataclass
class Story:
    """What was seen of one request, from outside of its row."""

    is_acknowledged: bool = False
    is_withdrawn: bool = False
    """Whether intake took it back: its caller heard an error, and nobody hears of its end."""

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
    past_event_ids: set[str] = field(default_factory=set)
    """Of ends that an operator undid: who stalled while telling of one may tell it still."""

    callers_messages: set[str] = field(default_factory=set)
    """What its caller's own topic was told; one text at most."""

    answered_faults: int = 0
    """How often a model server itself answered that it failed."""

    refused_in_attempt: int | None = None
    """In which attempt a model server that takes one request at a time last refused it."""

    results: set[bytes] = field(default_factory=set)
    """What lay in its place after each write; one at most."""

    redrives: int = 0
    ends: int = 0
    webhooks_taken: int = 0
    webhooks_sent: int = 0
    is_gone: bool = False
    """Whether the receiver said that it wants no more."""

    def reopened(self, event_id: str) -> None:
        """An operator undid an end, which was told under this id: attempts begin anew."""
        anew = Story(
            is_acknowledged=self.is_acknowledged,
            rows=self.rows,
            sends=self.sends,
            deliveries=self.deliveries,
            runs=self.runs,
            asked_to_stop_at_claim=self.asked_to_stop_at_claim,
            # A redrive that dies leaves a request without a message.
            message_was_lost=True,
            past_event_ids={*self.past_event_ids, event_id},
            results=self.results,
            redrives=self.redrives + 1,
        )
        self.__dict__.update(anew.__dict__)
