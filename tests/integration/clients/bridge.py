"""The functions on a loopback port, as behind API Gateway, over ports in memory."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from functions.authorizer.service import AuthorizerService
from penstock.contracts.errors import UnauthorizedError
from tests.unit.functions.containers import Gateway, Reply
from tests.unit.functions.events import proxy_event

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


class Bridge:
    """Makes each HTTP call an event, one at a time: a function serves one at a time."""

    def __init__(self, gateway: Gateway, authorizer: AuthorizerService) -> None:
        self._gateway = gateway
        self._authorizer = authorizer
        self._lock = Lock()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return what API Gateway would answer."""
        try:
            key = self._authorizer.authenticate(headers.get("Authorization"))
        except UnauthorizedError:
            refusal = {"error": "no valid API key was sent", "error_code": "unauthorized"}
            content_type = {"Content-Type": "application/json"}
            return Reply(401, content_type, json.dumps(refusal).encode())
        with self._lock:
            return self._gateway.resolve(_event(method, target, headers, body, key.tenant))


def _event(
    method: str, target: str, headers: Mapping[str, str], body: bytes, tenant: str
) -> dict[str, Any]:
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    event = proxy_event(method, parts.path, body, tenant=tenant, host=headers["Host"])
    return event | {
        "headers": dict(headers.items()),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
    }


@contextmanager
def serving(answer: Any) -> Iterator[str]:
    """Serve HTTP on a free loopback port; `answer` makes a reply of each call."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply: Reply = answer(self.command, self.path, self.headers, body)
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else reply.body)

    for method in METHODS:
        setattr(Handler, f"do_{method}", Handler.serve)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
