"""A webhook receiver as a user would write one: it believes only what is signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Self

from penstock.client import WebhookBody, WebhookVerificationError, verify_webhook
from penstock.contracts.http.signature import SIGNATURE_HEADER


@dataclass(frozen=True)
class ReceivedWebhook:
    """A webhook whose signature was verified."""

    body: WebhookBody
    received_at: datetime


class WebhookReceiver:
    """Listens on a free loopback port while it is entered."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self._received: dict[str, ReceivedWebhook] = {}
        self._changed = Condition()
        self.refusals: list[str] = []
        """Why webhooks were refused."""

    @property
    def url(self) -> str:
        """Where webhooks are to be sent."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def wait_for(self, request_id: str, timeout_seconds: float) -> ReceivedWebhook | None:
        """Return the first webhook of a request, or `None` if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: request_id in self._received, timeout_seconds)
            return self._received.get(request_id)

    def take(self, content: bytes, signature: str | None) -> HTTPStatus:
        """Judge one delivery; a refusal makes the sender try again."""
        try:
            body = verify_webhook(content, signature, self._secrets)
        except WebhookVerificationError as error:
            self.refusals.append(error.reason)
            return HTTPStatus.UNAUTHORIZED
        with self._changed:
            # Webhooks come at least once: a repeat changes nothing.
            self._received.setdefault(body.request_id, ReceivedWebhook(body, datetime.now(UTC)))
            self._changed.notify_all()
        return HTTPStatus.OK

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(receiver.take(content, self.headers.get(SIGNATURE_HEADER)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Leave the terminal to the progress display."""

        return Handler

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
