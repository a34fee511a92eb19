"""What KEDA asks: SQS for the messages of a queue, a service for a number. A test says how many."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Queues:
    """Queues by name. Counts are set by tests; a queue may be out of order."""

    def __init__(self) -> None:
        self.visible: Counter[str] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.calls: int | None = 0
        """What the service counts; None while it is away."""

        self.url = ""

    def address(self, name: str) -> str:
        """Return the URL of a queue."""
        return f"{self.url}/123456789012/{name}"

    def answer(self, name: str) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body for a question about a queue."""
        self.asked[name] += 1
        if name in self.failing:
            return 403, {"__type": "com.amazon.coral.service#AccessDeniedException"}
        counts = {
            "ApproximateNumberOfMessages": str(self.visible[name]),
            "ApproximateNumberOfMessagesNotVisible": str(self.in_flight[name]),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        return 200, {"Attributes": counts}


@contextmanager
def serve() -> Iterator[Queues]:
    """Answer on a port of loopback."""
    queues = Queues()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer `GetQueueAttributes`."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(*queues.answer(body["QueueUrl"].rpartition("/")[2]))

        def do_GET(self) -> None:
            """Answer for the service."""
            is_away = queues.calls is None
            self._say(503 if is_away else 200, {"calls": queues.calls})

        def _say(self, status: int, said: dict[str, Any]) -> None:
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    queues.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield queues
    finally:
        server.shutdown()
        server.server_close()
