"""A model server that does nothing but take its time, and knows when it was busy.

A thread answers each connection, with blocking calls: between the end of a model's work and its
answer on the wire lies nothing that the dispatcher could be blamed for.
"""

import socketserver
import threading
import time
from typing import cast

from pydantic import BaseModel

from bench.processes.starting import report, settings_text
from penstock.contracts.http.signature import REQUEST_ID_HEADER

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_LENGTH = b"content-length"
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()


class ModelServerSettings(BaseModel):
    """What the model costs."""

    slots: int
    service_seconds: float = 0.0
    """0: it answers at once."""


class Busy(BaseModel):
    """When the model worked; times are of the machine's monotonic clock."""

    starts: list[tuple[str, float, float]] = []
    """Request, start and end of each call, in the order in which they ended."""


class ModelServer(socketserver.ThreadingTCPServer):
    """Just enough HTTP that the server's own cost is next to nothing."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, settings: ModelServerSettings) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self._settings = settings
        self._slots = threading.Semaphore(settings.slots)
        self._busy = Busy()

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self.socket.getsockname()
        return f"http://{host}:{port}"

    def answer(self, line: bytes, headers: dict[bytes, bytes]) -> bytes:
        """Return the body of an answer, having taken the time that it takes."""
        if line.startswith(b"GET /busy"):
            return self._busy.model_dump_json().encode()
        if line.startswith(b"POST ") and self._settings.service_seconds:
            with self._slots:
                started = time.monotonic()
                time.sleep(self._settings.service_seconds)
                request_id = headers.get(_REQUEST_ID, b"").decode()
                self._busy.starts.append((request_id, started, time.monotonic()))
        return b'{"ok": true}'


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = cast("ModelServer", self.server)
        while line := self.rfile.readline():
            headers: dict[bytes, bytes] = {}
            while (header := self.rfile.readline().strip()) != b"":
                name, _, value = header.partition(b":")
                headers[name.lower()] = value.strip()
            self.rfile.read(int(headers.get(_LENGTH, b"0")))
            body = server.answer(line, headers)
            self.wfile.write(_ANSWER % (len(body), body))


if __name__ == "__main__":
    with ModelServer(ModelServerSettings.model_validate_json(settings_text())) as _server:
        report(_server.url)
        _server.serve_forever()
