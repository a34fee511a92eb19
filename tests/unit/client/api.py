"""An API that answers from a script and remembers what it was asked."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from penstock.client import AsyncClient, Client

URL = "https://penstock.example.com"
KEY = "prefix00.secret"

Reply = httpx.Response | Exception


def status_body(status: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a status answer."""
    return {
        "request_id": "r1",
        "model_id": "ocr",
        "deployment_id": "d1",
        "status": status,
        "webhook_status": "NO_WEBHOOK_PROVIDED",
        "created_at": "2026-01-02T03:04:05.678901Z",
        "status_at": "2026-01-02T03:04:09.000001Z",
        "errors": [],
    } | changes


FAILED = status_body("FAILED", errors=[{"code": "MODEL_PREDICT_ERROR", "message": "no ink"}])


@dataclass
class ScriptedApi:
    """Gives its replies in order, the last one again and again."""

    replies: list[Reply]
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        # A fresh one: httpx binds a response to the request it answered.
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [request.url.path for request in self.asked]


def open_api(*replies: Reply, **options: Any) -> tuple[Client, ScriptedApi]:
    """Return a client of an API that gives these replies."""
    api = ScriptedApi(list(replies))
    return Client(URL, KEY, transport=httpx.MockTransport(api), **options), api


def open_async_api(*replies: Reply, **options: Any) -> tuple[AsyncClient, ScriptedApi]:
    """Return an asynchronous client of an API that gives these replies."""
    api = ScriptedApi(list(replies))
    return AsyncClient(URL, KEY, transport=httpx.MockTransport(api), **options), api


def accepted() -> httpx.Response:
    """Return the answer to a submission."""
    return httpx.Response(201, json={"request_id": "r1"})


def at(status: str, **changes: Any) -> httpx.Response:
    """Return the answer to a question for the status."""
    return httpx.Response(200, json=status_body(status, **changes))
