"""A stack that the real SDK can call: functions, container and S3 on loopback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from urllib.parse import quote, unquote

import pytest
from verda.inference_client import InferenceClient  # type: ignore[import-untyped]  # has no types

from functions.authorizer.service import AuthorizerService
from functions.waiting import Waiting
from penstock.adapters.in_memory import (
    InMemoryApiKeyStore,
    InMemoryRequestQueue,
    InMemoryResultStore,
)
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import Tenant
from tests.integration.clients.bridge import Bridge, serving
from tests.unit.functions.containers import Answered, Gateway, Reply, work
from tests.unit.functions.world import ACME, World

INLINE_BYTES = 10_000
LARGE = 2 * INLINE_BYTES


class RingingQueue(InMemoryRequestQueue):
    """Tells a worker at once that something waits."""

    def __init__(self, world: World, bell: Event) -> None:
        super().__init__(world.clock)
        self._bell = bell

    def send(
        self, message: QueueMessage, *, priority: int, tenant: str, delay_seconds: float = 0
    ) -> None:
        super().send(message, priority=priority, tenant=tenant, delay_seconds=delay_seconds)
        self._bell.set()


class ServedResults(InMemoryResultStore):
    """Results whose URLs lead to a server of their own, as S3's do."""

    url_of_s3 = ""

    def url(self, stored: StoredObject, lifetime_seconds: int) -> str:
        name, content_type = quote(stored.key, safe=""), quote(stored.content_type, safe="")
        return f"{self.url_of_s3}/{name}/{content_type}"

    def answer(self, _method: str, target: str, headers: dict[str, str], _body: bytes) -> Reply:
        """Serve what `url` leads to; S3 refuses calls that are signed and carry a key as well."""
        _, key, content_type = map(unquote, target.split("/"))
        if headers.get("Authorization"):
            return Reply(400, {}, b"only one auth mechanism allowed")
        stored = StoredObject(bucket="results", key=key, size_bytes=0)
        return Reply(200, {"Content-Type": content_type}, self.read(stored))


@dataclass
class Stack:
    """What a test may look at and touch."""

    world: World
    url: str
    keys: InMemoryApiKeyStore
    started: Event = field(default_factory=Event)
    """Whether a container has a call in hand that waits for `release`."""

    release: Event = field(default_factory=Event)

    def client(self, tenant: str = ACME, name: str = "ocr") -> InferenceClient:
        """Return the vendor's client of a deployment."""
        key, text = ApiKey.issue(Tenant(tenant), self.world.clock())
        self.keys.put(key)
        return InferenceClient(text, f"{self.url}/containers/{name}")

    def container(self, call: ContainerCall, message: QueueMessage) -> Answered:
        """Echo a call; the path may ask for something else."""
        match call.path:
            case "/fails":
                return Answered(b"out of memory", "text/plain", 500)
            case "/held":
                self.started.set()
                assert self.release.wait(timeout=30)
            case "/large":
                return Answered(json.dumps("x" * LARGE).encode(), "application/json; charset=utf-8")
            case "/health":
                return Answered(b"fine", "text/plain")
        payload = (message.inline_payload or b"").decode()
        echo = {**call.model_dump(), "body": json.loads(payload or "null")}
        return Answered(json.dumps(echo).encode(), "application/json; charset=utf-8")


@pytest.fixture
def bell() -> Event:
    return Event()


@pytest.fixture
def stack(bell: Event) -> Iterator[Stack]:
    """Return the functions, with nobody who works yet."""
    world, keys = World(), InMemoryApiKeyStore()
    world.results = results = ServedResults()
    world.queues = {name: RingingQueue(world, bell) for name in world.queues}
    gateway = Gateway(world, Waiting(requests=world.requests), inline_bytes=INLINE_BYTES)
    bridge = Bridge(gateway, AuthorizerService(keys=keys, clock=world.clock))
    with serving(results.answer) as results.url_of_s3, serving(bridge.answer) as url:
        yield Stack(world, url, keys)


@pytest.fixture
def working(stack: Stack, bell: Event) -> Iterator[Stack]:
    """Return the stack with a worker beside it."""
    stopping = Event()

    def run() -> None:
        while not stopping.is_set():
            bell.wait()
            bell.clear()
            work(stack.world, stack.container)

    worker = Thread(target=run)
    worker.start()
    yield stack
    stopping.set()
    stack.release.set()
    bell.set()
    worker.join()
