"""Both functions behind one API, called as API Gateway calls them."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from functions.http_api import HttpApi
from functions.intake import routes as intake
from functions.intake.admission import Admission
from functions.intake.service import IntakeService
from functions.status import routes as status
from functions.status.service import StatusService
from functions.waiting import Waiting
from penstock.contracts.http.routes import ROUTES
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.ports.limits import RateLimit
from tests.unit.functions.containers import Reply, container_calls
from tests.unit.functions.events import proxy_event
from tests.unit.functions.intake.invocations import AccessKeys, invocations
from tests.unit.functions.world import World

MAX_PAYLOAD_BYTES = 1_000
INLINE_RESULT_BYTES = 1_000


@dataclass(kw_only=True)
class Api:
    """Calls routes; time passes only in `waited`."""

    world: World
    admission: Admission | None = None
    calls: RateLimit | None = None
    keys: AccessKeys | None = None
    max_payload_bytes: int = MAX_PAYLOAD_BYTES
    waited: list[float] = field(default_factory=list)
    while_waiting: dict[int, Any] = field(default_factory=dict)
    """What happens in a pause, by its number from 1."""

    _apps: dict[str, HttpApi] = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        service = IntakeService(
            catalog=world.catalog,
            requests=world.faults.around("requests", world.requests),
            payloads=world.faults.around("payloads", world.payloads),
            queue_of=world.queue_of,
            clock=world.clock,
            admission=self.admission,
        )
        statuses = StatusService(
            catalog=world.catalog,
            requests=world.faults.around("requests", world.requests),
            results=world.results,
            queue_of=world.queue_of,
            inline_result_bytes=INLINE_RESULT_BYTES,
            result_url_seconds=900,
        )
        waiting = Waiting(
            requests=world.requests, elapsed=lambda: sum(self.waited), sleep=self._pause
        )
        self._apps = {
            "intake": intake.create_app(
                service,
                container_calls(world, service, waiting),
                invocations(world, service, self.keys),
                max_payload_bytes=self.max_payload_bytes,
                webhook_rules=WebhookRules(),
                count=world.count,
            ),
            "status": status.create_app(statuses, world.count, calls=self.calls, waiting=waiting),
        }

    def call(self, method: str, path: str, body: Any = None, **event: Any) -> Reply:
        """Return the answer; a body that is neither text nor bytes is sent as JSON."""
        if not isinstance(body, str | bytes | None):
            body = json.dumps(body)
        return Reply.of(self.answer(proxy_event(method, path, body, **event)))

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """Have an event answered by the function whose route it matches."""
        app = self._apps[_function(event["httpMethod"], event["path"])]
        return dict(app.serve(event))

    def _pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.while_waiting.get(len(self.waited), lambda: None)()


def _function(method: str, path: str) -> str:
    for route in ROUTES:
        if route.method in {method, "ANY"} and _matches(route.path, path):
            return route.function
    return "status"


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"{\w+}", "[^/]+", re.sub(r"{\w+\+}", ".+", template))
    return re.fullmatch(pattern, path) is not None
