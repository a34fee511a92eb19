"""The model server next door, over HTTP on localhost."""

import asyncio
import time
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
from runtime_image.dispatcher.model_server.connections import (
    Connections,
    Use,
    connections_of,
    is_unanswered,
    is_unread,
)
from runtime_image.dispatcher.model_server.content_types import content_type_of
from runtime_image.dispatcher.model_server.faults import breakdown, overrun, refusal
from runtime_image.dispatcher.model_server.outgoing import Outbox, Outgoing
from runtime_image.dispatcher.model_server.presets import Preset, preset_of
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError
from runtime_image.dispatcher.observability.correlation import handed_on

_READY_SECONDS = 5.0
_HEALTH_LIMIT = 64 * 1024
_KEEPALIVE_SECONDS = 2
"""Shorter than any server's own: a connection that it just closed is rarely met."""

_MOMENT_SECONDS = 1.0
"""A connection that was hung up while idle is lost at once; later the server had the call, unless
the connection was reset.
"""

_LONGEST_HEADER = 64 * 1024


class HttpModelServer:
    """`ModelServer` over a container that keeps to one of the presets."""

    def __init__(
        self,
        url: str,
        preset: Preset,
        connections: Connections,
        max_result_bytes: int,
        traceparent: Callable[[], str | None] = handed_on,
    ) -> None:
        self._url = url.rstrip("/")
        self._preset = preset
        self._outbox = Outbox(url, preset)
        self._connections = connections
        self._max_result_bytes = max_result_bytes
        self._traceparent = traceparent

    async def is_ready(self) -> bool:
        """Whether requests would be taken now; see `ModelServer.is_ready`."""
        async with asyncio.timeout(_READY_SECONDS):
            try:
                if not self._preset.health_path:
                    return await self._listens()
                async with self._connections.kept.get(
                    f"{self._url}{self._preset.health_path}"
                ) as response:
                    said = await response.content.read(_HEALTH_LIMIT)
            except aiohttp.ClientConnectorError:
                return False
            except aiohttp.ClientError as error:
                raise ModelBusyError(f"its health is not told: {error}") from error
        if not self._preset.is_ready(response.status, said):
            raise ModelBusyError(f"it says that it is not ready ({response.status})")
        return True

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
                return await self._answer_or_repeat(to_send, payload, call)
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

    async def _answer_or_repeat(
        self, to_send: Outgoing, payload: Loaded, call: ContainerCall | None
    ) -> Answer:
        """Repeat a call once that met a kept connection which the server had just closed."""
        sent_at, use = time.monotonic(), Use()
        try:
            return await self._answer(self._connections.kept, to_send, payload, call)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            is_at_once = time.monotonic() - sent_at < _MOMENT_SECONDS
            was_idle = is_unread(error) or is_at_once
            if not (use.is_reused and was_idle and is_unanswered(error)):
                raise
            try:
                return await self._answer(self._connections.fresh, to_send, payload, call)
            except aiohttp.ClientConnectorError:
                raise error from None  # it listened a moment ago: this call may have ended it
        finally:
            use.end()

    async def _answer(
        self,
        session: aiohttp.ClientSession,
        to_send: Outgoing,
        payload: Loaded,
        call: ContainerCall | None,
    ) -> Answer:
        async with self._open(session, to_send, payload) as response:
            # Whoever chose the path of a container is to see where it sends him.
            has_own_path = call is not None and call.path not in {"", "/"}
            least_error = HTTPStatus.BAD_REQUEST if has_own_path else HTTPStatus.MULTIPLE_CHOICES
            if response.status >= least_error:
                failure = await refusal(response, is_of_container=call is not None)
                if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    response.close()  # some servers hang up after such an answer, unannounced
                raise failure
            body = await body_of(response, self._max_result_bytes)
            return Answer(body, content_type_of(response), response.status)

    def _open(
        self, session: aiohttp.ClientSession, to_send: Outgoing, payload: Loaded
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        data: bytes | AsyncIterator[bytes] | None
        if isinstance(payload.content, bytes):
            headers, data = to_send.headers, payload.content or None
        else:
            headers = {**to_send.headers, "Content-Length": str(payload.size_bytes)}
            data = chunks_of(payload.content)
        return session.request(
            to_send.method, to_send.url, data=data, headers=headers, allow_redirects=False
        )


@asynccontextmanager
async def model_server_of(
    environment: DispatcherEnvironment, traceparent: Callable[[], str | None] = handed_on
) -> AsyncIterator[HttpModelServer]:
    """Yield the model server of this pod, over connections of its own."""
    async with connections_of(_KEEPALIVE_SECONDS, _LONGEST_HEADER) as connections:
        yield HttpModelServer(
            environment.model_server_url,
            preset_of(environment),
            connections,
            environment.max_result_bytes,
            traceparent,
        )
