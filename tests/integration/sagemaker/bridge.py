"""The intake behind an HTTP port: calls become events of a REST API, answers become HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from functions.http_api import HttpApi
from tests.unit.functions.events import proxy_event

STAGE = "/live"


@dataclass
class Bridge:
    """Answers calls with or without the stage in front of their path; remembers them."""

    app: HttpApi
    url: str = ""
    attempts: list[dict[str, str]] = field(default_factory=list)
    """The headers of every call, by lower-case name."""

    answers_to_lose: int = 0
    """How many calls are served and then cut off."""

    tampers: dict[str, str] = field(default_factory=dict)
    """Headers that something on the way puts in, or sets to another value."""

    suffix: bytes = b""
    """What something on the way adds to bodies."""

    _one_at_a_time: Lock = field(default_factory=Lock)

    def serve(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        """Return the function's answer to a call."""
        self.attempts.append({name.lower(): value for name, value in headers.items()})
        parts = urlsplit(target)
        path = parts.path.removeprefix(STAGE)
        event = proxy_event(method, path, body + self.suffix)
        event["headers"] = headers | self.tampers
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        event["requestContext"] |= {"path": parts.path, "authorizer": None}
        event["requestContext"]["domainName"] = headers["Host"].partition(":")[0]
        with self._one_at_a_time:
            return self.app.serve(event)


@contextmanager
def bridged(app: HttpApi) -> Iterator[Bridge]:
    """Serve `app` on a free port until the end."""
    bridge = Bridge(app)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = bridge.serve(self.command, self.path, dict(self.headers.items()), body)
            if bridge.answers_to_lose:
                bridge.answers_to_lose -= 1
                return
            self.send_response(answer["statusCode"])
            for name, values in answer["multiValueHeaders"].items():
                self.send_header(name, values[0])
            self.send_header("Content-Length", str(len(answer["body"].encode())))
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    bridge.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bridge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
