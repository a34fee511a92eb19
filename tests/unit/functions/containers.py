"""Calling containers as API Gateway calls the functions, and playing the container."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from functions.container_answers import ContainerAnswers
from functions.http_answer import HttpAnswer
from functions.http_api import HttpApi, Operation, create_api
from functions.intake.datacrunch import ContainerCalls
from functions.intake.service import IntakeService
from functions.status.datacrunch import ContainerResults
from functions.waiting import Waiting
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.http.routes import ROUTES, FunctionName
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import Failed, Fault, FaultCode, Succeeded
from penstock.contracts.request import AsyncRequest, Tenant
from penstock.dialects.http_call import HttpCall
from tests.unit.functions.events import proxy_event
from tests.unit.functions.world import World

INLINE_BYTES = 100
"""Longer results are answered by a redirect, unless a test says otherwise."""


@dataclass(frozen=True)
class Answered:
    """What a container answers."""

    body: bytes = b'{"ok": true}'
    content_type: str = "application/json"
    status: int = 200


Container = Callable[[ContainerCall, QueueMessage], Answered]


@dataclass(frozen=True)
class Reply:
    """What the caller of an API receives."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Return what API Gateway makes of a function's answer."""
        body = answer["body"]
        return cls(
            answer["statusCode"],
            {name: values[0] for name, values in answer["multiValueHeaders"].items()},
            base64.b64decode(body) if answer["isBase64Encoded"] else body.encode(),
        )


def container_calls(
    world: World,
    service: IntakeService,
    waiting: Waiting | None = None,
    inline_bytes: int = INLINE_BYTES,
) -> ContainerCalls:
    """Return what serves calls of containers."""
    return ContainerCalls(
        service=service,
        waiting=waiting or Waiting(requests=world.requests),
        answers=container_answers(world, inline_bytes),
        max_payload_bytes=1_000,
        wait_seconds=25,
        count=world.count,
    )


def container_answers(world: World, inline_bytes: int = INLINE_BYTES) -> ContainerAnswers:
    """Return what renders the answers of containers."""
    return ContainerAnswers(results=world.results, inline_bytes=inline_bytes, url_seconds=60)


def work(world: World, container: Container) -> list[AsyncRequest]:
    """Work on all that waits, by priority; return the rows as they are then."""
    return [
        finish(world, message, container)
        for deployment_id in world.queues
        for priority in range(3)
        for message in _taken(world, deployment_id, priority)
    ]


def finish(world: World, message: QueueMessage, container: Container) -> AsyncRequest:
    """Work on one request, as a dispatcher does."""
    claimed = world.requests.claim(message.request_id, "worker", 30)
    assert message.call is not None
    answered = container(message.call, message)
    what = claimed.request_id, answered.body, answered.content_type
    if answered.status < 400:
        result = world.results.put_result(*what, http_status=answered.status)
        return world.requests.finish(claimed, Succeeded(result=result))
    failure = world.results.put_failure(*what, http_status=answered.status)
    fault = Fault(
        code=FaultCode.MODEL_PREDICT_ERROR,
        message=f"The model server answered {answered.status}: {answered.body!r}",
    )
    return world.requests.finish(claimed, Failed(fault=fault, failure=failure))


def _taken(world: World, deployment_id: str, priority: int) -> Iterator[QueueMessage]:
    queue = world.queues[deployment_id]
    for delivery in queue.receive(
        priority=priority, max_messages=10, wait_seconds=0, visible_after_seconds=60
    ):
        yield delivery.message
        queue.delete([delivery])


@dataclass
class Gateway:
    """Both functions over one world; time passes only while a call waits."""

    world: World
    waiting: Waiting | None = None
    while_waiting: Callable[[], object] = lambda: None
    """Happens at every pause of a call that waits."""

    inline_bytes: int = INLINE_BYTES
    waited: list[float] = field(default_factory=list)
    _apps: dict[str, HttpApi] = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        service = IntakeService(
            catalog=world.catalog,
            requests=world.requests,
            payloads=world.payloads,
            queue_of=world.queue_of,
            clock=world.clock,
        )
        waiting = self.waiting or Waiting(
            requests=world.faults.around("requests", world.requests),
            elapsed=lambda: sum(self.waited),
            sleep=self._pause,
        )
        answers = container_answers(world, self.inline_bytes)
        results = ContainerResults(catalog=world.catalog, requests=world.requests, answers=answers)
        intake = container_calls(world, service, waiting, self.inline_bytes).operations()
        self._apps = {
            "intake": self._app("intake", dict(intake)),
            "status": self._app("status", dict(results.operations())),
        }

    def call(self, method: str, path: str, body: str | bytes | None = None, **event: Any) -> Reply:
        """Call a container, or ask for its answer."""
        return self.resolve(proxy_event(method, path, body, **event))

    def ask(self, kind: str, inference_id: str | None, name: str = "ocr", **event: Any) -> Reply:
        """Ask for `status` or `result`."""
        headers = {} if inference_id is None else {"X-Inference-Id": inference_id}
        return self.call("GET", f"/containers/{kind}/{name}", headers=headers, **event)

    def resolve(self, event: dict[str, Any]) -> Reply:
        """Have an event answered by the function that API Gateway would call."""
        asks = event["path"].startswith(("/containers/status/", "/containers/result/"))
        app = self._apps["status" if asks and event["httpMethod"] == "GET" else "intake"]
        return Reply.of(app.serve(event))

    def _app(self, function: FunctionName, operations: dict[str, Operation]) -> HttpApi:
        others = {route.operation: _not_ours for route in ROUTES if route.function == function}
        return create_api(function, {**others, **operations}, self.world.count, _nobody)

    def _pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.while_waiting()


def _not_ours(call: HttpCall) -> HttpAnswer:
    raise AssertionError(f"{call.route} is no call of a container")


def _nobody(_call: HttpCall) -> Tenant:
    raise UnauthorizedError("no signatures here")
