"""Deciding what becomes of one webhook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic_core import from_json

from functions.webhooks.sender import (
    ForbiddenTargetError,
    UnreachableReceiverError,
    WebhookSender,
)
from penstock.contracts.http.signature import REQUEST_ID_HEADER, SIGNATURE_HEADER, signature
from penstock.contracts.notification import Notification
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.notifications import SigningSecrets
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus
from penstock.dialects.baseten.answers import webhook_body
from penstock.dialects.media_type import is_json

EVENT_ID_HEADER = "X-PENSTOCK-EVENT-ID"

_FIRST_DELAY_SECONDS = 20
_DELAY_FACTOR = 3
_LONGEST_DELAY_SECONDS = 4 * 3_600
"""With these, eight attempts span at most six hours."""

Delay = Callable[[str, float], None]
"""Hides the message with this receipt for so many seconds from now."""


class Verdict(StrEnum):
    """What became of a webhook, and so of its message."""

    DELIVERED = "delivered"
    OBSOLETE = "obsolete"
    """Nothing to send, or sent before."""

    FORBIDDEN = "forbidden"
    """Its URL must not be called, now or later."""

    DELAYED = "delayed"
    """Not taken; the message stays and comes again later."""

    EXHAUSTED = "exhausted"
    """Not taken at the last attempt; the message stays and becomes a dead letter."""

    @property
    def keeps_message(self) -> bool:
        """Whether the message stays in the queue."""
        return self in {Verdict.DELAYED, Verdict.EXHAUSTED}


class Attempt(NamedTuple):
    """One attempt at a webhook."""

    verdict: Verdict
    reason: str = ""


def longest_delay_seconds(receive_count: int) -> float:
    """Return the upper bound of the wait after so many attempts (1 or more)."""
    return float(
        min(_FIRST_DELAY_SECONDS * _DELAY_FACTOR ** (receive_count - 1), _LONGEST_DELAY_SECONDS)
    )


@dataclass(frozen=True, kw_only=True)
class WebhookService:
    """Delivers webhooks, each at least once until its receiver takes it."""

    requests: RequestStore
    results: ResultStore
    secrets: SigningSecrets
    sender: WebhookSender
    delay: Delay
    max_attempts: int
    clock: Clock
    jitter: Callable[[], float]
    """Draws from 0 to 1."""

    def deliver(self, notification: Notification, receipt: str, receive_count: int) -> Attempt:
        """Send the webhook of an ended request unless that was done, and record what became of it.

        Raises:
            UnavailableError: AWS failed; the message must stay.
        """
        request = self.requests.find(notification.request_id)
        if (
            request is None
            or request.webhook_endpoint is None
            or request.webhook_status is not WebhookStatus.PENDING
        ):
            return Attempt(Verdict.OBSOLETE)
        if request.state is RequestState.CANCELED:
            # Who cancelled it knows.
            self.requests.record_webhook(request.request_id, WebhookStatus.CANCELED)
            return Attempt(Verdict.OBSOLETE)
        try:
            status = self._send(request, request.webhook_endpoint, notification.event_id)
        except ForbiddenTargetError as error:
            self.requests.record_webhook(request.request_id, WebhookStatus.FAILED)
            return Attempt(Verdict.FORBIDDEN, str(error))
        except UnreachableReceiverError as error:
            return self._try_later(request, receipt, receive_count, str(error))
        if not 200 <= status <= 299:  # noqa: PLR2004 - HTTP
            reason = f"the receiver answered {status}"
            return self._try_later(request, receipt, receive_count, reason)
        self.requests.record_webhook(request.request_id, WebhookStatus.SUCCEEDED)
        return Attempt(Verdict.DELIVERED)

    def _send(self, request: AsyncRequest, url: str, event_id: str) -> int:
        # Serialised once by pydantic itself: verifiers that parse the body and serialise it again
        # must arrive at the very bytes that were signed.
        body = webhook_body(request, self._data(request), self.clock()).model_dump_json().encode()
        return self.sender.send(url, body, _headers(request, event_id, body, self.secrets.active()))

    def _data(self, request: AsyncRequest) -> Any:  # noqa: ANN401 - any JSON
        result = request.result
        if request.state is not RequestState.SUCCEEDED or result is None:
            return None
        if not is_json(result.content_type):
            return None  # bytes have no place in JSON; the caller fetches them
        try:
            return from_json(self.results.read(result))
        except ValueError:
            return None  # says it is JSON and is not, so it is bytes too

    def _try_later(
        self, request: AsyncRequest, receipt: str, receive_count: int, reason: str
    ) -> Attempt:
        if receive_count >= self.max_attempts:
            self.requests.record_webhook(request.request_id, WebhookStatus.FAILED)
            return Attempt(Verdict.EXHAUSTED, reason)
        self.delay(receipt, longest_delay_seconds(receive_count) * self.jitter())
        return Attempt(Verdict.DELAYED, reason)


def _headers(
    request: AsyncRequest, event_id: str, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Penstock-Webhooks/1",
        REQUEST_ID_HEADER: request.request_id,
        EVENT_ID_HEADER: event_id,
    }
    if secrets:
        headers[SIGNATURE_HEADER] = signature(body, secrets)
    return headers
