"""Echoes what it is sent, in SageMaker's container contract and over plain HTTP; see README.md."""

import base64
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CHUNK_BYTES = 256 * 1024
ECHOED_BYTES = 1024**2
"""A longer body is answered with its size and its SHA-256: it is never held as a whole."""


@dataclass(frozen=True)
class Body:
    """What came with a call; `content` is `None` where it was too long to keep."""

    content: bytes | None
    size_bytes: int
    sha256: str

    def described(self, content_type: str) -> Any:  # noqa: ANN401 - any JSON
        """Return it as JSON: as it is, as text, in base64, or as size and digest."""
        if self.content is None:
            return {"size_bytes": self.size_bytes, "sha256": self.sha256}
        if content_type.startswith("application/json") and self.content:
            return json.loads(self.content)
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(self.content).decode()}


@dataclass(frozen=True)
class Wishes:
    """How the caller wants to be answered."""

    status: int = 200
    sleep_seconds: float = 0.0
    answer_bytes: int | None = None

    @classmethod
    def of(cls, query: str, attributes: str) -> "Wishes":
        """Read them from a query, or from SageMaker's custom attributes; both may say more."""
        said = dict(parse_qsl(attributes)) | dict(parse_qsl(query))
        length = said.get("bytes")
        return cls(
            status=int(said.get("status", 200)),
            sleep_seconds=float(said.get("sleep", 0)),
            answer_bytes=None if length is None else int(length),
        )


class Call(BaseHTTPRequestHandler):
    """One call; connections are kept."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: "Server"

    def answer(self) -> None:
        """Answer whatever is asked."""
        with self.server.busy():
            path = urlsplit(self.path).path
            body = self._body()
            if path in {"/ping", "/health"}:
                self._send_json({"status": "ok", "running": self.server.running - 1})
            else:
                self._echo(path, body)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server calls them so

    def _echo(self, path: str, body: Body) -> None:
        query = urlsplit(self.path).query
        content_type = self.headers.get("Content-Type", "application/octet-stream")
        try:
            attributes = self.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
            wishes = Wishes.of(query, attributes)
            described = body.described(content_type)
        except ValueError as error:
            self._send_json({"message": str(error)}, HTTPStatus.BAD_REQUEST)
            return
        time.sleep(wishes.sleep_seconds)
        if wishes.status >= HTTPStatus.BAD_REQUEST:
            self._send_json({"message": f"asked to answer {wishes.status}"}, wishes.status)
        elif wishes.answer_bytes is not None:
            self._send(_filler(wishes.answer_bytes), wishes.answer_bytes, wishes.status)
        elif path == "/invocations" and body.content is not None:
            self._send([body.content], body.size_bytes, wishes.status, content_type)
        elif path == "/invocations":
            self._send_json(described, wishes.status)
        else:
            seen = {"method": self.command, "path": path, "query": query}
            headers = dict(self.headers.items())
            self._send_json({**seen, "headers": headers, "body": described}, wishes.status)

    def _body(self) -> Body:
        size = int(self.headers.get("Content-Length", 0))
        digest, kept, left = hashlib.sha256(), bytearray(), size
        while left and (chunk := self.rfile.read(min(left, CHUNK_BYTES))):
            digest.update(chunk)
            left -= len(chunk)
            if size <= ECHOED_BYTES:
                kept += chunk
        content = bytes(kept) if size <= ECHOED_BYTES else None
        return Body(content, size, digest.hexdigest())

    def _send_json(self, document: Any, status: int = HTTPStatus.OK) -> None:  # noqa: ANN401 - any JSON
        body = json.dumps(document).encode()
        self._send([body], len(body), status, "application/json")

    def _send(
        self,
        chunks: Iterator[bytes] | list[bytes],
        size_bytes: int,
        status: int,
        content_type: str = "application/octet-stream",
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(size_bytes))
        self.end_headers()
        if self.command != "HEAD":
            for chunk in chunks:
                self.wfile.write(chunk)

    def log_message(self, *_: object) -> None:
        """Keep quiet: the platform logs every request."""


class Server(ThreadingTCPServer):
    """A thread per connection; it ends when the calls under way are answered."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("0.0.0.0", port), Call)  # noqa: S104 - a container is called from outside
        self.running = 0
        """How many calls are being answered."""

        self._changed = threading.Condition()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a call while it is answered."""
        with self._changed:
            self.running += 1
        try:
            yield
        finally:
            with self._changed:
                self.running -= 1
                self._changed.notify_all()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=self.shutdown).start())
        with self:
            self.serve_forever(poll_interval=0.1)
            with self._changed:
                self._changed.wait_for(lambda: not self.running)


def _filler(size_bytes: int) -> Iterator[bytes]:
    chunk = bytes(range(256)) * (CHUNK_BYTES // 256)
    for start in range(0, size_bytes, CHUNK_BYTES):
        yield chunk[: size_bytes - start]


if __name__ == "__main__":
    Server(int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or os.environ.get("PORT") or 8080)).run()
