"""The asynchronous client: the surface of `penstock.client.client`, awaited."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, Unpack

import httpx
from tenacity import AsyncRetrying

from penstock.client import answers
from penstock.client.answers import ResultBody
from penstock.client.calls import baseten, native, uploads
from penstock.client.calls.baseten import Call, SubmitOptions
from penstock.client.calls.batches import Batch
from penstock.client.calls.native import ListOptions
from penstock.client.calls.uploads import Source
from penstock.client.endpoint import LOOPBACK_WITHOUT_PROXY, Endpoint
from penstock.client.errors import (
    ClientError,
    ConflictError,
    NotFoundError,
    PenstockApiError,
    WaitTimeoutError,
)
from penstock.client.pacing import ATTEMPTS, reaching, retrying, wait_limit, waits
from penstock.contracts.http.baseten import CancelAnswer, QueueStatus, RequestStatus
from penstock.contracts.http.native import MOST_ASKED, BatchEntry, UploadPlace

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
        self.longest_wait_seconds = wait_limit(timeout)

    async def submit(
        self, model: str, model_input: object, **options: Unpack[SubmitOptions]
    ) -> "AsyncHandle":
        """Submit `model_input` (any JSON) to a model; repeated safely when the network fails."""
        accepted = await self.send(baseten.submit(model, model_input, options))
        return self.handle(accepted.request_id)

    async def submit_batch(
        self,
        model: str,
        items: Iterable[Mapping[str, Any]],
        *,
        environment: str | None = None,
        deployment: str | None = None,
    ) -> list[BatchEntry]:
        """Submit any number of requests, each as the body of a single one; see what became of each.

        An item may have an `idempotency_key`: with it the whole batch can be repeated.

        Raises:
            ClientError: a call failed, and nothing was accepted. Once something was, a failure is
                told in the entries of those that were not.
        """
        batch = Batch(items)
        for pause, places in batch.rounds():
            await asyncio.sleep(pause)
            call = native.batch(model, batch.items(places), environment, deployment)
            try:
                batch.record(places, await self.send(call))
            except ClientError as error:
                batch.fail(places, error)
        return batch.entries

    async def submit_batch_in_s3(
        self,
        model: str,
        location: str,
        *,
        environment: str | None = None,
        deployment: str | None = None,
    ) -> Sequence[BatchEntry]:
        """Submit up to 10,000 JSON lines that lie at `location` (`s3://bucket/key`).

        Sent once: it may be repeated if each line has an `idempotency_key`.
        """
        call = native.batch_in_s3(model, location, environment, deployment)
        return (await self.send(call)).requests

    async def upload(self, source: Source, content_type: str = "application/octet-stream") -> str:
        """Send up to 5 GB to S3; return the `input_location` of a submission."""
        place = await self.send(native.upload(content_type))
        await retrying(AsyncRetrying, self._max_attempts)(self._put_once, place, source)
        return place.location

    async def statuses(self, request_ids: Sequence[str]) -> dict[str, RequestStatus]:
        """Return where requests are, by id; ids of no request are left out."""
        found: dict[str, RequestStatus] = {}
        for start in range(0, len(request_ids), MOST_ASKED):
            asked = request_ids[start : start + MOST_ASKED]
            answer = await self.send(native.statuses(asked))
            found |= {status.request_id: status for status in answer.requests}
        return found

    async def list_requests(
        self, model: str, **options: Unpack[ListOptions]
    ) -> AsyncIterator[RequestStatus]:
        """Yield the requests that you sent to a deployment, the newest first."""
        after: str | None = None
        while True:
            page = await self.send(native.listing(model, options, after))
            for status in page.requests:
                yield status
            if (after := page.next) is None:
                return

    def handle(self, request_id: str) -> "AsyncHandle":
        """Return the handle of a request that was submitted before."""
        return AsyncHandle(request_id, self)

    async def queue(
        self, model: str, *, environment: str | None = None, deployment: str | None = None
    ) -> QueueStatus:
        """Return how much waits and runs."""
        return await self.send(baseten.queue(model, environment, deployment))

    async def send(self, call: Call[Answer]) -> Answer:
        """Make a call, with retries, and read its answer."""
        attempts = self._max_attempts if call.is_repeatable else 1
        response = await self._exchange(call.request(self._endpoint), attempts)
        if target := answers.redirect_target(response):
            # A bare request: S3 must not see the key, and refuses a second authorisation.
            response = await self._exchange(httpx.Request("GET", target), self._max_attempts)
        return call.read(response)

    async def _put_once(self, place: UploadPlace, source: Source) -> None:
        try:
            await self._exchange_once(uploads.async_put_request(place, source))
        except PenstockApiError as error:
            if not uploads.is_there_already(error):
                raise

    async def _exchange(self, request: httpx.Request, attempts: int) -> httpx.Response:
        return await retrying(AsyncRetrying, attempts)(self._exchange_once, request)

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
        return await self.client.send(baseten.status(self.request_id))

    async def wait(self, timeout: float = 600.0, *, longest_pause: float = 5.0) -> RequestStatus:
        """Return the last status, once the request has ended in whatever way.

        Raises:
            WaitTimeoutError: it had not ended after `timeout` seconds.
        """
        longest_wait = self.client.longest_wait_seconds
        for pause, wait_seconds in waits(
            timeout, longest_wait_seconds=longest_wait, longest_pause_seconds=longest_pause
        ):
            await asyncio.sleep(pause)
            call = baseten.status(self.request_id, wait_seconds=wait_seconds)
            status = await self.client.send(call)
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
            return await self.client.send(baseten.result(self.request_id))
        except (ConflictError, NotFoundError):
            answers.require_possible_result(await self.status())
            raise

    async def result(self) -> Any:  # noqa: ANN401 - a model answers any JSON
        """Return the result: parsed JSON, or bytes if it is not JSON (see `fetch_result`)."""
        return (await self.fetch_result()).parsed()

    async def cancel(self, *, force: bool = False) -> CancelAnswer:
        """Cancel the request while it is queued; with `force` also while it runs."""
        return await self.client.send(baseten.cancel(self.request_id, force=force))
