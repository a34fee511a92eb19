"""The processes of the stack, each with the environment that the program declares for it."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from botocore.credentials import ContainerProvider

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.environments import DispatcherEnvironment, ModelCredentialsEnvironment
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, RequestId
from runtime_image.dispatcher.model_credentials.running import run as serve_credentials
from runtime_image.dispatcher.process import Drain
from runtime_image.dispatcher.wiring import run
from tests.iam.account import Account
from tests.iam.recorder import Recorder
from tests.unit.functions.events import proxy_event

FUNCTIONS = ("authorizer", "intake", "status", "webhooks", "sweeper")
DEPLOYMENT = "ocr-v1"
WORKER = f"{DEPLOYMENT}-worker"
MODEL_ROLE = "arn:aws:iam::123456789012:role/archive"

ModelServer = Callable[[bytes], Awaitable[web.Response]]
"""Answers predictions, by their bodies."""


def role_of(function: str) -> str:
    """Return the role of a function."""
    return f"functions-{function}-role"


@dataclass(frozen=True)
class _Invocation:
    """What Lambda tells a function of itself."""

    function_name: str
    memory_limit_in_mb: int = 512
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:any"

    def get_remaining_time_in_millis(self) -> int:
        return 55_000


@dataclass(frozen=True)
class Processes:
    """Functions that can be called, and a worker that can be run."""

    account: Account
    recorder: Recorder
    _handles: dict[str, Callable[[Any, _Invocation], Any]]

    def requests(self, minutes_ago: float = 0) -> DynamoRequestStore:
        """Return the rows, for whom that is now."""
        table = self.account.variables_of("intake")["PENSTOCK_REQUESTS_TABLE"]
        age = timedelta(minutes=minutes_ago)
        return DynamoRequestStore(table, client("dynamodb"), lambda: utc_now() - age)

    def row(self, request_id: str) -> AsyncRequest:
        """Return a row, seen by the test whoever acts."""
        with self.recorder.looking_on():
            row = self._seen(RequestId(request_id))
        assert row is not None
        return row

    def _seen(self, request_id: RequestId) -> AsyncRequest | None:
        while True:
            # A row of moto's is a plain dictionary, which a worker may be changing right now.
            with suppress(RuntimeError):
                return self.requests().find(request_id)

    def invoke(self, function: str, event: Any) -> Any:
        """Call a function as AWS does."""
        with self.recorder.acting_as(role_of(function)):
            return self._handles[function](event, _Invocation(function))

    def call(self, function: str, method: str, path: str, body: Any = None, **parts: Any) -> Any:
        """Call a function over HTTP; return status and body."""
        text = json.dumps(body) if isinstance(body, dict) else body
        answer = self.invoke(function, proxy_event(method, path, text, **parts))
        is_json = answer["body"].startswith("{")
        return answer["statusCode"], json.loads(answer["body"]) if is_json else answer["body"]

    @asynccontextmanager
    async def worker(self, model_server: ModelServer) -> AsyncIterator[None]:
        """Run the dispatcher of the deployment beside a model server, and drain it."""

        async def predict(request: web.Request) -> web.Response:
            return await model_server(await request.read())

        async def health(_: web.Request) -> web.Response:
            return web.Response()

        app = web.Application(client_max_size=1024**3)
        app.add_routes([web.post("/predict", predict), web.get("/health", health)])
        async with TestServer(app) as server:
            environment = DispatcherEnvironment.read(
                self.account.variables_of_worker(DEPLOYMENT)
                | {"PENSTOCK_MODEL_SERVER_URL": str(server.make_url("")).rstrip("/")}
                | {"PENSTOCK_PORT": str(unused_port())}
            )
            drain = Drain(environment.drain_seconds)
            with self.recorder.acting_as(WORKER):
                running = asyncio.create_task(run(environment, drain))
                try:
                    yield
                finally:
                    drain.request()
                    await running

    def assume_model_role(self, folder: Path) -> None:
        """Let the sidecar of a worker's pod assume the role of its model once."""
        told = self.account.variables_of_worker(DEPLOYMENT, "model-credentials")
        environment = ModelCredentialsEnvironment.read(
            told
            | {"PENSTOCK_TOKEN_FILE": str(folder / "token")}
            | {"PENSTOCK_CREDENTIALS_PORT": str(unused_port()), "PENSTOCK_PORT": str(unused_port())}
        )

        async def serve_until_asked() -> None:
            stop = asyncio.Event()
            serving = asyncio.create_task(serve_credentials(environment, stop))
            uri = f"http://127.0.0.1:{environment.credentials_port}/v1/credentials"
            variables = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": uri,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": environment.token_file,
            }
            await until(Path(environment.token_file).exists)
            found = await asyncio.to_thread(ContainerProvider(variables).load)
            assert found is not None
            stop.set()
            await serving

        with self.recorder.acting_as(WORKER):
            asyncio.run(serve_until_asked())


@contextmanager
def started(account: Account, recorder: Recorder) -> Iterator[Processes]:
    """Load every function with its own environment; forget them afterwards."""
    modules = {name: f"functions.{name}.handler" for name in FUNCTIONS}
    loaded = {}
    for name, module in modules.items():
        with patch.dict(os.environ, account.variables_of(name)), recorder.acting_as(role_of(name)):
            loaded[name] = importlib.import_module(module).handle
    try:
        yield Processes(account, recorder, loaded)
    finally:
        for module in modules.values():
            del sys.modules[module]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(240):
        while not condition():
            await asyncio.sleep(0.05)
