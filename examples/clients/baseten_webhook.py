# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic>=2"]
# ///
"""A receiver of Baseten webhooks: checks the signature of one call in both published ways.

WEBHOOK_SECRETS=whsec_new,whsec_old uv run examples/clients/baseten_webhook.py [port]
"""

import hashlib
import hmac
import os
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from pydantic import BaseModel, ConfigDict

SECRETS = os.environ["WEBHOOK_SECRETS"].split(",")
TOLERANCE = timedelta(seconds=300)


class Webhook(BaseModel):
    """What Baseten's starter project parses a webhook into."""

    model_config = ConfigDict(extra="allow")
    request_id: str
    model_id: str
    deployment_id: str
    type: str
    time: datetime
    data: Any
    errors: list[dict[str, str]]


def signatures(header: str) -> list[str]:
    """Return the hex digests of `v1=…,v1=…`."""
    return [entry.removeprefix("v1=") for entry in header.split(",")]


def is_signed(body: bytes, header: str, secrets: list[str]) -> bool:
    """Whether one secret made one of the signatures over exactly these bytes."""
    return any(
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(), signature)
        for secret in secrets
        for signature in signatures(header)
    )


class Receiver(BaseHTTPRequestHandler):
    """Takes one webhook."""

    def do_POST(self) -> None:
        """Answer 204 to a webhook that is genuine and fresh, else 401."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        header = self.headers.get("X-BASETEN-SIGNATURE", "")
        webhook = Webhook.model_validate_json(body)
        genuine = {
            "raw body": is_signed(body, header, SECRETS),
            "parsed and serialised again": is_signed(
                webhook.model_dump_json().encode(), header, SECRETS
            ),
            "fresh": abs(datetime.now(UTC) - webhook.time) < TOLERANCE,
        }
        print(webhook.request_id, genuine, webhook.data, webhook.errors, flush=True)
        self.send_response(204 if all(genuine.values()) else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing beside the line above."""


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
server = HTTPServer(("127.0.0.1", port), Receiver)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.handle_request()
