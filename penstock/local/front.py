"""One port that presents the emulated REST API as a custom domain would: no stage in the path.

The client's `Host` is passed on, so names such as `model-<id>.localhost` reach the functions.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from penstock.contracts.errors import PenstockError
from penstock.contracts.http.baseten import ErrorBody

logger = logging.getLogger(__name__)

_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""aiohttp refuses to write them; RFC 9110, 5.5 has a blank put in their place."""

_CALLS_AT_WORK = 4
"""The emulator starts one more process per function for every call beyond: 70 MiB, and 0.7 s of a
core before it answers."""

_CALLS_WAITING = 8
_PATIENCE_SECONDS = 3.0
"""A call that takes longer is waiting for a result: it leaves its place to others. Much less, and
a busy machine would start process upon process because none of them comes up."""


class PortTakenError(PenstockError):
    """Somebody else listens on the wanted port."""


class CallSlots:
    """Places for a few calls at work, and for more that wait."""

    def __init__(self, *, at_work: int, waiting: int, patience_seconds: float) -> None:
        self._at_work = asyncio.Semaphore(at_work)
        self._free_to_wait = waiting
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Hold a place; before long it is one among those that wait, if there is room."""
        await self._at_work.acquire()
        waits = False

        def step_aside() -> None:
            nonlocal waits
            if self._free_to_wait:
                waits = True
                self._free_to_wait -= 1
                self._at_work.release()

        patience = asyncio.get_running_loop().call_later(self._patience_seconds, step_aside)
        try:
            yield
        finally:
            patience.cancel()
            if waits:
                self._free_to_wait += 1
            else:
                self._at_work.release()


class Front:
    """Forwards every call to one stage of a REST API."""

    def __init__(self, upstream_url: str) -> None:
        self._upstream_url = upstream_url
        self._slots = CallSlots(
            at_work=_CALLS_AT_WORK, waiting=_CALLS_WAITING, patience_seconds=_PATIENCE_SECONDS
        )
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> str:
        """Listen on a loopback port (0: any free one) and return the URL.

        Raises:
            PortTakenError: the port is not free.
        """
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        app = web.Application()
        app.router.add_route("*", r"/{path:[\s\S]*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as error:
            await self.stop()
            raise PortTakenError(f"port {port} is taken; choose another with --port") from error
        chosen: int = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{chosen}"

    async def stop(self) -> None:
        """Stop listening; calls under way are cut off."""
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        async with self._slots.take():
            try:
                return await self._forwarded(request)
            except aiohttp.ClientError as error:
                logger.warning("emulated API unreachable", extra={"reason": str(error)})
                body = ErrorBody(error="the emulated API does not answer", error_code="unavailable")
                return web.json_response(body.model_dump(), status=502)

    async def _forwarded(self, request: web.Request) -> web.StreamResponse:
        if self._session is None:
            raise RuntimeError("the front was not started")
        headers = _end_to_end(request.headers)
        headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
        headers["X-Forwarded-Proto"] = "http"
        # The emulator takes a body for text, and an answer for base64, if their type is not said;
        # API Gateway takes both for binary, as the API declares every type to be.
        headers.setdefault("Accept", "*/*")
        if request.body_exists:
            headers.setdefault("Content-Type", "application/octet-stream")
        async with self._session.request(
            request.method,
            # As the client wrote it: `%2F` stays `%2F`.
            URL(self._upstream_url + request.raw_path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            response.headers.extend(_end_to_end(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    pairs: Iterable[tuple[str, str]] = headers.items()
    named = ",".join(value for name, value in pairs if name.lower() == "connection")
    ending_here = _HOP_BY_HOP | {name.strip().lower() for name in named.split(",")}
    return CIMultiDict(
        (name, _CONTROLS.sub(" ", value))
        for name, value in pairs
        if name.lower() not in ending_here
    )
