"""POSTing a webhook."""

import ssl
from collections.abc import Mapping
from typing import Protocol

import urllib3

from penstock.contracts.errors import InvalidSubmissionError, PenstockError
from penstock.dialects.webhook_target import check_webhook_target


class ForbiddenTargetError(PenstockError):
    """Webhooks may never be sent to this URL; trying again is of no use."""


class UnreachableReceiverError(PenstockError):
    """The receiver did not answer in time, or not in HTTP."""


class WebhookSender(Protocol):
    """Carries one POST to a receiver."""

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the receiver's answer.

        Raises:
            ForbiddenTargetError: `url` must not be called.
            UnreachableReceiverError: there was no answer.
        """
        ...


class HttpsWebhookSender:
    """Sends over HTTPS, without proxies, redirects or retries, and reads only the status."""

    def __init__(self, *, timeout_seconds: float, allow_local: bool) -> None:
        self._timeout = urllib3.Timeout(total=timeout_seconds)
        self._allow_local = allow_local
        self._tls = ssl.create_default_context()  # loads the authorities once, not per webhook

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """See `WebhookSender.send`."""
        try:
            check_webhook_target(url, allow_local=self._allow_local)
        except InvalidSubmissionError as error:
            raise ForbiddenTargetError(str(error)) from error
        # A connection kept from an earlier webhook may be dead, and a dead one costs an attempt.
        with urllib3.PoolManager(ssl_context=self._tls, timeout=self._timeout) as pool:
            try:
                answer = pool.request(
                    "POST",
                    url,
                    body=body,
                    headers=headers,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except urllib3.exceptions.HTTPError as error:
                raise UnreachableReceiverError(f"{type(error).__name__}: {error}") from error
            # Only the status counts, so a receiver cannot keep us by answering slowly or at length.
            answer.close()
            return answer.status
