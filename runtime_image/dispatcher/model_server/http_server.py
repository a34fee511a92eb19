"""The model server next door, over HTTP on localhost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from penstock.contracts.environments import DispatcherEnvironment
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from penstock.protocol.loading import Loaded
from runtime_image.dispatcher.model_server.bodies import (
    BodyTooLargeError,
    SpoolError,
    body_of,
    chunks_of,
)
from runtime_image.dispatcher.model_server.faults import OCTETS, breakdown, overrun, refusal
from runtime_image.dispatcher.model_server.outgoing import Outbox, Outgoing
from runtime_image.dispatcher.model_server.presets import Preset, preset_of
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from runtime_image.dispatcher.observability.correlation import handed_on

_READY_SECONDS = 5.0
_HEALTH_LIMIT = 64 * 1024
_KEEPALIVE_SECONDS = 2
"""Shorter than any server's own: a connection it just closed must not fail an attempt."""


class HttpModelServer:
    """`ModelServer` over a container that keeps to one of the presets."""

    def __init__(
        self,
        url: str,
        preset: Preset,
        session: aiohttp.ClientSession,
        max_result_bytes: int,
        traceparent: Callable[[], str | None] = handed_on,
    ) -> None:
        self._url = url.rstrip("/")
        self._preset = preset
        self._outbox = Outbox(url, preset)
        self._session = session
        self._max_result_bytes = max_result_bytes
        self._traceparent = traceparent

    async def is_ready(self) -> bool:
        """Whether requests would be taken now; see `ModelServer.is_ready`."""
        async with asyncio.timeout(_READY_SECONDS):
            try:
                if not self._preset.health_path:
                    return await self._listens()
                async with self._session.get(f"{self._url}{self._preset.health_path}") as response:
                    said = await response.content.read(_HEALTH_LIMIT)
                    return self._preset.is_ready(response.status, said)
            except aiohttp.ClientError:
                return False

    async def _listens(self) -> bool:
        at = urlsplit(self._url)
        try:
            _, writer = await asyncio.open_connection(at.hostname, at.port)
        except OSError:
            return False
        writer.close()
        return True

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        """Make the call; see `ModelServer.predict`."""
        to_send = self._outbox.outgoing(request_id, payload.content_type, call, self._traceparent())
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._answer(to_send, payload, is_handed_on=call is not None)
        except TimeoutError as error:
            raise overrun(timeout_seconds) from error
        except aiohttp.ClientConnectorError as error:
            raise ModelBusyError("the model server does not listen") from error
        except aiohttp.ClientError as error:
            raise breakdown(error) from error
        except BodyTooLargeError as error:
            limit = self._max_result_bytes
            raise ModelFaultError(
                FaultCode.MODEL_PREDICT_ERROR, f"The model's answer is larger than {limit} bytes."
            ) from error
        except SpoolError as error:
            raise ModelFaultError(FaultCode.INTERNAL_SERVER_ERROR, f"{error}.") from error

    async def _answer(self, to_send: Outgoing, payload: Loaded, *, is_handed_on: bool) -> Answer:
        async with self._open(to_send, payload) as response:
            # A caller who speaks to the container itself is to see where it sends him.
            least_error = HTTPStatus.BAD_REQUEST if is_handed_on else HTTPStatus.MULTIPLE_CHOICES
            if response.status >= least_error:
                raise await refusal(response, is_of_container=is_handed_on)
            body = await body_of(response, self._max_result_bytes)
            content_type = response.headers.get("Content-Type", OCTETS)
            return Answer(body, content_type, response.status)

    def _open(
        self, to_send: Outgoing, payload: Loaded
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        data: bytes | AsyncIterator[bytes] | None
        if isinstance(payload.content, bytes):
            headers, data = to_send.headers, payload.content or None
        else:
            headers = {**to_send.headers, "Content-Length": str(payload.size_bytes)}
            data = chunks_of(payload.content)
        return self._session.request(
            to_send.method, to_send.url, data=data, headers=headers, allow_redirects=False
        )


@asynccontextmanager
async def model_server_of(
    environment: DispatcherEnvironment, traceparent: Callable[[], str | None] = handed_on
) -> AsyncIterator[HttpModelServer]:
    """Yield the model server of this pod, over connections of its own."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),  # one caller's cookies are not another's
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
    ) as session:
        yield HttpModelServer(
            environment.model_server_url,
            preset_of(environment),
            session,
            environment.max_result_bytes,
            traceparent,
        )
