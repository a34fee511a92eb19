"""Stands between dispatchers and the emulated AWS, and interferes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from yarl import URL

from tests.faults.processes.proxy.aws_calls import AwsCall, Step, mentioned
from tests.faults.processes.proxy.interference import Fault, Hold, Interference, Side, is_gone

T = TypeVar("T")

_DELAY_SECONDS = 1.5
_OWN_CALL_SECONDS = 30.0
_NOT_PASSED_ON = {"connection", "content-length", "expect", "transfer-encoding"}
_THROTTLED = {
    "dynamodb": (400, '{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}'),
    "sqs": (400, '{"__type": "com.amazonaws.sqs#RequestThrottled"}'),
    "sns": (
        400,
        "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>"
        "<Message>Rate exceeded</Message></Error></ErrorResponse>",
    ),
    "s3": (503, "<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"),
}


class FaultProxy(Interference):
    """Listens on a loopback port while it is entered."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.upstream_url: str | None = None
        """The emulator; until it is known, callers are told to try again."""

        self.effects: Counter[tuple[Step, str]] = Counter()
        """How often a step took effect on a request, whatever its caller heard."""

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def release(self, hold: Hold) -> None:
        """Let a held call go on; if its caller is gone it is dropped."""
        self._loop.call_soon_threadsafe(hold.open)

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_OWN_CALL_SECONDS)

    async def _start(self) -> str:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), auto_decompress=False, trust_env=False
        )
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.upstream_url is None:
            return web.Response(status=503)
        target = request.headers.get("X-Amz-Target", "")
        call = AwsCall.of(request.method, request.path, target, body)
        match fault := self.fault_of(call):
            case Fault.REFUSED:
                return _cut(request)
            case Fault.SERVER_ERROR:
                return web.Response(status=500)
            case Fault.THROTTLED:
                status, text = _THROTTLED[call.service]
                return web.Response(status=status, text=text)
            case Fault.DELAYED:
                await asyncio.sleep(_DELAY_SECONDS)
        async with self.held(call, Side.BEFORE, request):
            if is_gone(request):
                return _cut(request)  # it died before it made this call
            answer = await self._passed_on(request, body)
            call = self._noted(call, answer)
        async with self.held(call, Side.AFTER, request):
            return _cut(request) if fault is Fault.ANSWER_LOST else answer

    async def _passed_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_PASSED_ON}
        url = URL(f"{self.upstream_url}{request.raw_path}", encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            passed = web.Response(status=answer.status, body=await answer.read())
            for name, value in answer.headers.items():
                # The length that a HEAD tells is not that of its own answer.
                if request.method == "HEAD" or name.lower() not in _NOT_PASSED_ON:
                    passed.headers[name] = value
            return passed

    def _noted(self, call: AwsCall, answer: web.Response) -> AwsCall:
        if call.step is Step.RECEIVE and isinstance(answer.body, bytes):
            call = AwsCall(call.service, call.step, mentioned(answer.body))
        if answer.status == 200:
            self.effects.update((call.step, request_id) for request_id in call.request_ids)
        return call


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
