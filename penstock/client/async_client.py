"""The asynchronous client: the surface of `penstock.client.client`, awaited."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, Unpack

import httpx
from tenacity import AsyncRetrying

from penstock.client import answers, calls
from penstock.client.answers import ResultBody
from penstock.client.calls import Call, SubmitOptions
from penstock.client.endpoint import LOOPBACK_WITHOUT_PROXY, Endpoint
from penstock.client.errors import ConflictError, NotFoundError, WaitTimeoutError
from penstock.client.pacing import ATTEMPTS, looks, reaching, retrying
from penstock.contracts.http.baseten import CancelAnswer, QueueStatus, RequestStatus

Answer = TypeVar("Answer")


class AsyncClient:
    """Talks to one Penstock API from an event loop.

    Example:
        async with AsyncClient() as penstock:
            handle = await penstock.submit("ocr", {"image": page})
            print((await handle.wait()).status)
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        max_attempts: int = ATTEMPTS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = Endpoint.find(base_url, api_key)
        self._http = httpx.AsyncClient(
            timeout=timeout, transport=transport, mounts=LOOPBACK_WITHOUT_PROXY
        )
        self._max_attempts = max_attempts

    async def submit(
        self, model: str, model_input: object, **options: Unpack[SubmitOptions]
    ) -> "AsyncHandle":
        """Submit `model_input` (any JSON) to a model; repeated safely when the network fails."""
        accepted = await self.send(calls.submit(model, model_input, options))
        return self.handle(accepted.request_id)

    def handle(self, request_id: str) -> "AsyncHandle":
        """Return the handle of a request that was submitted before."""
        return AsyncHandle(request_id, self)

    async def queue(
        self, model: str, *, environment: str | None = None, deployment: str | None = None
    ) -> QueueStatus:
        """Return how much waits and runs."""
        return await self.send(calls.queue(model, environment, deployment))

    async def send(self, call: Call[Answer]) -> Answer:
        """Make a call, with retries, and read its answer."""
        response = await self._exchange(call.request(self._endpoint))
        if target := answers.redirect_target(response):
            # A bare request: S3 must not see the key, and refuses a second authorisation.
            response = await self._exchange(httpx.Request("GET", target))
        return call.read(response)

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        return await retrying(AsyncRetrying, self._max_attempts)(self._exchange_once, request)

    async def _exchange_once(self, request: httpx.Request) -> httpx.Response:
        with reaching(request):
            return answers.checked(await self._http.send(request))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@dataclass(frozen=True)
class AsyncHandle:
    """One request."""

    request_id: str
    client: AsyncClient = field(repr=False, compare=False)

    async def status(self) -> RequestStatus:
        """Return where the request is."""
        return await self.client.send(calls.status(self.request_id))

    async def wait(self, timeout: float = 600.0, *, longest_pause: float = 5.0) -> RequestStatus:
        """Return the last status, once the request has ended in whatever way.

        Raises:
            WaitTimeoutError: it had not ended after `timeout` seconds.
        """
        for pause in looks(timeout, longest_pause_seconds=longest_pause):
            await asyncio.sleep(pause)
            status = await self.status()
            if answers.has_ended(status):
                return status
        raise WaitTimeoutError([self.request_id], timeout)

    async def fetch_result(self) -> ResultBody:
        """Return the result as it is stored.

        Raises:
            RequestFailedError: the request ended without one.
            ConflictError: there is none yet.
        """
        try:
            return await self.client.send(calls.result(self.request_id))
        except (ConflictError, NotFoundError):
            answers.require_possible_result(await self.status())
            raise

    async def result(self) -> Any:  # noqa: ANN401 - a model answers any JSON
        """Return the result: parsed JSON, or bytes if it is not JSON (see `fetch_result`)."""
        return (await self.fetch_result()).parsed()

    async def cancel(self, *, force: bool = False) -> CancelAnswer:
        """Cancel the request while it is queued; with `force` also while it runs."""
        return await self.client.send(calls.cancel(self.request_id, force=force))
