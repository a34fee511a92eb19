"""The functions over a world in memory, behind an HTTP session that opens no socket."""

import json
import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.http.baseten import ErrorBody
from penstock.contracts.http.routes import ROUTES, Route
from penstock.contracts.outcome import Failed, Fault, FaultCode
from tests.fuzz.known import Known
from tests.unit.functions.baseten.api import Api
from tests.unit.functions.containers import Reply
from tests.unit.functions.events import proxy_event
from tests.unit.functions.intake.invocations import AccessKeys
from tests.unit.functions.world import ACME, World

URL = "https://api.example.com"


class GatewayAdapter(HTTPAdapter):
    """Hands calls to the functions as API Gateway does."""

    def __init__(self, api: Api) -> None:
        super().__init__()
        self._api = api

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # of a connection there is nothing to say
        """Return the answer of the function whose route it is."""
        reply = self._reply(request)
        raw = HTTPResponse(
            BytesIO(reply.body), dict(reply.headers), reply.status, preload_content=False
        )
        return self.build_response(request, raw)

    def _reply(self, request: requests.PreparedRequest) -> Reply:
        url = urlsplit(request.url or "")
        route = _route(request.method or "", url.path)
        if route is None:
            body = ErrorBody(error="no such path or method", error_code="client_error")
            headers = {"Content-Type": "application/json"}
            return Reply(404, headers, body.model_dump_json().encode())
        return Reply.of(self._api.answer(_event(request, route)))


def _event(request: requests.PreparedRequest, route: Route) -> dict[str, Any]:
    url = urlsplit(request.url or "")
    query = parse_qs(url.query, keep_blank_values=True)
    body = request.body.encode() if isinstance(request.body, str) else request.body
    event = proxy_event(
        request.method or "",
        unquote(url.path),
        body,
        tenant=ACME if route.authorization == "key" else "",
        headers=dict(request.headers),
        query={name: values[-1] for name, values in query.items()} or None,
    )
    event["multiValueQueryStringParameters"] = query or None
    event["requestContext"]["path"] = f"/{event['requestContext']['stage']}{url.path}"
    return event


def _route(method: str, path: str) -> Route | None:
    """Return the route that API Gateway would choose: the one with the fewest parameters."""
    fitting = [
        route
        for route in ROUTES
        if route.method in {method, "ANY"} and re.fullmatch(_pattern(route.path), path)
    ]
    return min(fitting, key=lambda route: route.path.count("{"), default=None)


def _pattern(template: str) -> str:
    return re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+\+}", ".+", template))


def in_process() -> tuple[requests.Session, str, Known]:
    """Return a session, a key to it and what there is to find."""
    world = World()
    keys = AccessKeys(world)
    key, text = ApiKey.issue(ACME, world.clock())
    keys.store.put(key)
    return session_to(Api(world=world, keys=keys)), text, Known(_names(world))


def session_to(api: Api) -> requests.Session:
    """Return a session whose every call is answered by `api`."""
    session = requests.Session()
    session.mount("https://", GatewayAdapter(api))
    return session


def _names(world: World) -> dict[str, list[str]]:
    fault = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="boom")
    rows = [
        world.accepted(),
        world.running(),
        world.succeeded(json.dumps({"text": "Penstock"}).encode()),
        world.succeeded(b"\x89PNG\xff", "image/png"),
        world.succeeded(b"x" * 10_000, "text/plain"),
        world.requests.finish(world.running(), Failed(fault=fault)),
    ]
    return {
        "model_id": ["ocr"],
        "chain_id": ["pages"],
        "environment": ["production", "staging"],
        "deployment_id": ["ocr-1", "ocr-2"],
        "deployment": ["ocr", "ocr-staging"],
        "endpoint_name": ["ocr"],
        "host": ["model-ocr.api.example.com", "chain-pages.api.example.com"],
        "request_id": [row.request_id for row in rows],
    }
