"""POSTing a webhook to a public receiver."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from typing import cast

from penstock.adapters.webhooks.addresses import is_loopback, is_public
from penstock.adapters.webhooks.bounded_socket import BoundedSocket, Deadline
from penstock.adapters.webhooks.resolver import Resolve, resolve, resolve_within
from penstock.contracts.http.webhook_url import HTTPS_PORT, ForbiddenTargetError, WebhookUrl
from penstock.contracts.ports.webhooks import ReceiverAnswer, UnreachableReceiverError

_READABLE_BYTES = 64 * 1024
_CONNECT_SECONDS = 3.0
_TRIED_ADDRESSES = 3


class PinnedWebhookSender:
    """`WebhookSender` that resolves a name once and calls one of the addresses it looked at.

    A name that leads to any address outside the public Internet is not called at all. The
    connection is made to the address, while SNI, the certificate check and the Host header are
    those of the name; so an answer that changes between check and connection (DNS rebinding)
    is never asked for. No redirect, proxy, cookie or second try; one limit for the time from the
    lookup to the end of the answer's head, and its body is not read.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._resolve = resolve
        self._tls = tls or ssl.create_default_context()  # loads the authorities once

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> ReceiverAnswer:
        """See `WebhookSender.send`."""
        deadline = Deadline(self._timeout_seconds)
        try:
            addresses = self._addresses(url, deadline)
            with self._connected(url, addresses, deadline) as sock:
                return _exchange(url, BoundedSocket(sock, deadline, _READABLE_BYTES), body, headers)
        except TimeoutError as error:
            late = f"it did not answer within {self._timeout_seconds:g} s"
            raise UnreachableReceiverError(late) from error
        except ssl.SSLCertVerificationError as error:
            wrong = f"its certificate is not valid for {url.host}: {error.verify_message}"
            raise UnreachableReceiverError(wrong) from error
        except RemoteDisconnected as error:
            raise UnreachableReceiverError("it closed the connection without an answer") from error
        except OSError as error:
            broken = f"the connection failed: {error.strerror or error}"
            raise UnreachableReceiverError(broken) from error
        except HTTPException as error:
            raise UnreachableReceiverError(
                f"its answer is not HTTP ({type(error).__name__})"
            ) from error

    def _addresses(self, url: WebhookUrl, deadline: Deadline) -> Sequence[str]:
        found = resolve_within(self._resolve, url.host, deadline.remaining_seconds())
        if not found:
            raise UnreachableReceiverError(f"{url.host} has no address")
        may_be_called = is_loopback if url.is_local else is_public
        # One wrong address condemns the name: who controls it chooses which one is used.
        if wrong := [address for address in found if not may_be_called(address)]:
            raise ForbiddenTargetError(
                f"{url.host} leads to {', '.join(wrong)}, where webhooks are not sent"
            )
        return found[:_TRIED_ADDRESSES]

    def _connected(
        self, url: WebhookUrl, addresses: Sequence[str], deadline: Deadline
    ) -> socket.socket:
        sock = _connect(addresses, url.port, deadline)
        if url.scheme == "http":
            return sock
        try:
            sock.settimeout(deadline.remaining_seconds())  # for the whole of the handshake
            return self._tls.wrap_socket(sock, server_hostname=url.host)
        except BaseException:
            sock.close()
            raise


def _connect(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that takes one; no name is looked up."""
    failures: list[str] = []
    for address in addresses:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            sock.settimeout(min(_CONNECT_SECONDS, deadline.remaining_seconds()))
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            failures.append(f"{address}: {error.strerror or 'no answer'}")
        else:
            return sock
    raise UnreachableReceiverError(f"no connection to {'; '.join(failures)}")


def _exchange(
    url: WebhookUrl, sock: BoundedSocket, body: bytes, headers: Mapping[str, str]
) -> ReceiverAnswer:
    connection = HTTPConnection(url.host, url.port)
    connection.default_port = HTTPS_PORT if url.scheme == "https" else connection.default_port
    connection.auto_open = 0  # never a connection of its own
    connection.sock = cast("socket.socket", sock)
    connection.request("POST", url.target, body, {**headers, "Connection": "close"})
    with connection.getresponse() as answer:
        return ReceiverAnswer(answer.status, answer.headers.get("Retry-After"))
