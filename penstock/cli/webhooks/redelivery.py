"""Sending webhooks again that were given up."""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from penstock.cli.webhooks.ports import WebhookPorts
from penstock.contracts.contract import Contract
from penstock.contracts.notification import Notification
from penstock.contracts.ports.dead_letters import DeadLetter
from penstock.contracts.request import RequestId, RequestState, WebhookStatus

_LETTERS_AT_A_TIME = 10
_HIDDEN_SECONDS = 300.0
"""Long enough to send what was looked at; what is left then shows again."""


class Outcome(StrEnum):
    """What became of a wish to send a webhook again."""

    SENT = "sent"
    """It waits in the webhook queue, with all its attempts."""

    DELIVERED_BEFORE = "delivered before"
    NOT_ENDED = "not ended"
    CANCELED = "canceled"
    NO_WEBHOOK = "no webhook"
    UNKNOWN = "unknown request"
    UNREADABLE = "unreadable"

    @property
    def settles_letter(self) -> bool:
        """Whether its dead letter says nothing any more."""
        return self in {Outcome.SENT, Outcome.DELIVERED_BEFORE}


class Redelivered(Contract):
    """One webhook, and what became of it."""

    request_id: RequestId | None
    outcome: Outcome
    reason: str = ""
    """Why it was given up, if a dead letter tells."""


def redeliver(ports: WebhookPorts, request_ids: Collection[RequestId]) -> Iterator[Redelivered]:
    """Send the webhooks of these requests again, also those that were taken."""
    # Looked for first: what is sent may fail at once and leave a new letter, which must stay.
    letters = [
        letter
        for batch in _batches(ports)
        for letter in batch
        if letter.request_id in set(request_ids)
    ]
    for request_id in dict.fromkeys(request_ids):
        outcome = _send(ports, request_id)
        old = [letter for letter in letters if letter.request_id == request_id]
        if outcome.settles_letter:
            ports.dead_letters.drop(old)
        reason = old[0].reason if old else ""
        yield Redelivered(request_id=request_id, outcome=outcome, reason=reason)


def redeliver_all_failed(ports: WebhookPorts) -> Iterator[Redelivered]:
    """Send every webhook again that lies among the dead letters."""
    done: set[RequestId] = set()
    for letters in _batches(ports):
        for letter in letters:
            request_id = letter.request_id
            if request_id is None:
                yield Redelivered(request_id=None, outcome=Outcome.UNREADABLE, reason=letter.reason)
            elif request_id not in done:  # else it failed again while we went on
                done.add(request_id)
                outcome = _send(ports, request_id, unless_delivered=True)
                if outcome.settles_letter:
                    ports.dead_letters.drop([letter])
                yield Redelivered(request_id=request_id, outcome=outcome, reason=letter.reason)


def _batches(ports: WebhookPorts) -> Iterator[Sequence[DeadLetter]]:
    while letters := ports.dead_letters.look(_LETTERS_AT_A_TIME, _HIDDEN_SECONDS):
        yield letters


def _send(ports: WebhookPorts, request_id: RequestId, *, unless_delivered: bool = False) -> Outcome:
    request = ports.requests.find(request_id)
    if request is None:
        return Outcome.UNKNOWN
    if request.webhook_endpoint is None:
        return Outcome.NO_WEBHOOK
    if request.state is RequestState.CANCELED:
        return Outcome.CANCELED
    if not request.state.is_terminal:
        return Outcome.NOT_ENDED
    if unless_delivered and request.webhook_status is WebhookStatus.SUCCEEDED:
        return Outcome.DELIVERED_BEFORE
    # In this order: a message that finds its row not PENDING is dropped.
    ports.requests.record_webhook(request, WebhookStatus.PENDING)
    ports.queue.send(Notification.of(request))
    return Outcome.SENT
