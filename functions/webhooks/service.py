"""Deciding what becomes of one webhook."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from functions.webhooks.content import WebhookContent
from functions.webhooks.hosts import HostAvoidedError, Hosts, Visit
from functions.webhooks.schedule import delay_seconds, retry_after_seconds
from penstock.contracts.http.signature import webhook_headers
from penstock.contracts.http.webhook_url import ForbiddenTargetError, WebhookRules, WebhookUrl
from penstock.contracts.notification import Notification
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.notifications import SigningSecrets
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.ports.webhooks import (
    MOST_DEFERRALS,
    ReceiverAnswer,
    UnreachableReceiverError,
    WebhookQueue,
    WebhookSender,
)
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus

_UNSIGNED = "there is no active signing secret, and nothing is sent unsigned"


class Verdict(StrEnum):
    """What became of a webhook, and so of its message."""

    DELIVERED = "delivered"
    OBSOLETE = "obsolete"
    """Nothing to send, or sent before."""

    DELAYED = "delayed"
    """Not taken; the message comes again later."""

    DEFERRED = "deferred"
    """Not sent, because its host is in trouble; the message comes again, and no attempt counts."""

    UNSIGNED = "unsigned"
    """Not sent, because there is no secret to sign it with; the message comes again later."""

    EXHAUSTED = "exhausted"
    """Not taken at the last attempt."""

    GONE = "gone"
    """The receiver wants no more."""

    FORBIDDEN = "forbidden"
    """Its URL must not be called, now or later."""

    UNREADABLE = "unreadable"
    """The message is not of ours."""

    @property
    def keeps_message(self) -> bool:
        """Whether the message stays in the queue."""
        return self in {Verdict.DELAYED, Verdict.DEFERRED, Verdict.UNSIGNED}


class Attempt(NamedTuple):
    """What was done about a webhook."""

    verdict: Verdict
    reason: str = ""


class Received(NamedTuple):
    """A message of the webhook queue."""

    notification: Notification
    receipt: str
    receive_count: int


@dataclass(frozen=True, kw_only=True)
class WebhookService:
    """Delivers webhooks, each at least once, until its receiver takes it or it is given up.

    Attempts are counted in the row, before they are made: a process that dies in one has made it.
    A webhook that is given up leaves a dead letter with the reason, and then a row that says
    FAILED; in this order, so that a crash in between repeats both.
    """

    requests: RequestStore
    content: WebhookContent
    secrets: SigningSecrets
    sender: WebhookSender
    queue: WebhookQueue
    hosts: Hosts
    rules: WebhookRules
    max_attempts: int
    clock: Clock
    jitter: Callable[[], float]
    """Draws from 0 to 1."""

    def deliver(self, received: Received) -> Attempt:
        """Send the webhook of an ended request unless that was done; record what became of it.

        Raises:
            UnavailableError: AWS failed; the message must stay.
        """
        request = self.requests.find(received.notification.request_id)
        if (
            request is None
            or request.webhook_endpoint is None
            or request.webhook_status is not WebhookStatus.PENDING
        ):
            return Attempt(Verdict.OBSOLETE)
        if request.state is RequestState.CANCELED:
            # Who cancelled it knows.
            self.requests.record_webhook(request, WebhookStatus.CANCELED)
            return Attempt(Verdict.OBSOLETE)
        if not _is_pending(request, received.notification):
            return Attempt(Verdict.OBSOLETE)
        due = _Due(request, received)
        if request.webhook_attempts >= self.max_attempts:
            return self._give_up(due, Verdict.EXHAUSTED, "the last attempt was cut short")
        try:
            return self._visit(due, self.rules.read(request.webhook_endpoint))
        except ForbiddenTargetError as error:
            return self._give_up(due, Verdict.FORBIDDEN, error.reason)

    def bury(self, body: str, reason: str) -> Attempt:
        """Keep a message that cannot be read as a dead letter.

        Raises:
            UnavailableError: AWS failed; the message must stay.
        """
        self.queue.bury(body, f"{Verdict.UNREADABLE}: {reason}")
        return Attempt(Verdict.UNREADABLE, reason)

    def _visit(self, due: "_Due", url: WebhookUrl) -> Attempt:
        # A tenant's failures do not close a host to the others, who may have other URLs there.
        host = f"{due.request.tenant} {url.authority}"
        insist = due.received.receive_count > MOST_DEFERRALS
        try:
            with self.hosts.visit(host, whatever_happened=insist) as visit:
                return self._attempt(due, url, visit)
        except HostAvoidedError as error:
            # Spread, or all that wait for this host would come back at once.
            self.queue.hide(due.received.receipt, error.seconds * (1 + self.jitter()))
            return Attempt(Verdict.DEFERRED, error.reason)

    def _attempt(self, due: "_Due", url: WebhookUrl, visit: Visit) -> Attempt:
        request, now = due.request, self.clock()
        if not (secrets := self.secrets.active()):
            attempts = self.requests.count_webhook_attempt(request)
            return self._try_later(due, attempts, _UNSIGNED, verdict=Verdict.UNSIGNED)
        body = self.content.body(request, now)
        event_id = due.received.notification.event_id
        headers = webhook_headers(request.request_id, event_id, body, secrets, sent_at=now)
        attempts = self.requests.count_webhook_attempt(request)
        if attempts is None:
            return Attempt(Verdict.OBSOLETE)
        try:
            answer = self.sender.send(url, body, headers)
        except UnreachableReceiverError as error:
            visit.went_well = False
            return self._try_later(due, attempts, error.reason)
        visit.went_well = not answer.shows_trouble
        return self._settle(due, attempts, answer)

    def _settle(self, due: "_Due", attempts: int, answer: ReceiverAnswer) -> Attempt:
        if answer.is_taken:
            self.requests.record_webhook(due.request, WebhookStatus.SUCCEEDED)
            return Attempt(Verdict.DELIVERED)
        if answer.is_gone:
            return self._give_up(due, Verdict.GONE, answer.reason)
        wanted = retry_after_seconds(answer.retry_after, self.clock())
        return self._try_later(due, attempts, answer.reason, wanted)

    def _try_later(
        self,
        due: "_Due",
        attempts: int | None,
        reason: str,
        wanted_seconds: float = 0,
        *,
        verdict: Verdict = Verdict.DELAYED,
    ) -> Attempt:
        if attempts is None:
            return Attempt(Verdict.OBSOLETE)  # redriven meanwhile
        if attempts >= self.max_attempts:
            return self._give_up(due, Verdict.EXHAUSTED, reason)
        seconds = delay_seconds(attempts, wanted_seconds, self.jitter())
        self.queue.hide(due.received.receipt, seconds)
        return Attempt(verdict, reason)

    def _give_up(self, due: "_Due", verdict: Verdict, reason: str) -> Attempt:
        notification = due.received.notification
        current = self.requests.find(notification.request_id)
        if current is None or not _is_pending(current, notification):
            return Attempt(Verdict.OBSOLETE)  # a duplicate of the message was faster, or a redrive
        self.queue.bury(notification.encoded(), f"{verdict}: {reason}")
        self.requests.record_webhook(current, WebhookStatus.FAILED)
        return Attempt(verdict, reason)


class _Due(NamedTuple):
    """A webhook to be sent: the request as it ended, and the message that tells of this end."""

    request: AsyncRequest
    received: Received


def _is_pending(request: AsyncRequest, notification: Notification) -> bool:
    """Whether the webhook of this end is still to be delivered.

    A request that was redriven since announces its new end by a message of its own.
    """
    return (
        request.webhook_status is WebhookStatus.PENDING
        and Notification.of(request).event_id == notification.event_id
    )
