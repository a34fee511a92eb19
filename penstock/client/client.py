"""The synchronous client."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, Unpack

import httpx
from tenacity import Retrying

from penstock.client import answers, calls
from penstock.client.answers import ResultBody
from penstock.client.calls import Call, SubmitOptions
from penstock.client.endpoint import LOOPBACK_WITHOUT_PROXY, Endpoint
from penstock.client.errors import ConflictError, NotFoundError, WaitTimeoutError
from penstock.client.pacing import ATTEMPTS, looks, reaching, retrying
from penstock.contracts.http.baseten import CancelAnswer, QueueStatus, RequestStatus

Answer = TypeVar("Answer")


class Client:
    """Talks to one Penstock API; safe to share between threads.

    Example:
        with Client() as penstock:
            print(penstock.submit("ocr", {"image": page}).wait().status)
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 30.0,
        max_attempts: int = ATTEMPTS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._endpoint = Endpoint.find(base_url, api_key)
        self._http = httpx.Client(
            timeout=timeout, transport=transport, mounts=LOOPBACK_WITHOUT_PROXY
        )
        self._max_attempts = max_attempts

    def submit(self, model: str, model_input: object, **options: Unpack[SubmitOptions]) -> "Handle":
        """Submit `model_input` (any JSON) to a model; repeated safely when the network fails."""
        accepted = self.send(calls.submit(model, model_input, options))
        return self.handle(accepted.request_id)

    def handle(self, request_id: str) -> "Handle":
        """Return the handle of a request that was submitted before."""
        return Handle(request_id, self)

    def queue(
        self, model: str, *, environment: str | None = None, deployment: str | None = None
    ) -> QueueStatus:
        """Return how much waits and runs."""
        return self.send(calls.queue(model, environment, deployment))

    def send(self, call: Call[Answer]) -> Answer:
        """Make a call, with retries, and read its answer."""
        response = self._exchange(call.request(self._endpoint))
        if target := answers.redirect_target(response):
            # A bare request: S3 must not see the key, and refuses a second authorisation.
            response = self._exchange(httpx.Request("GET", target))
        return call.read(response)

    def _exchange(self, request: httpx.Request) -> httpx.Response:
        return retrying(Retrying, self._max_attempts)(self._exchange_once, request)

    def _exchange_once(self, request: httpx.Request) -> httpx.Response:
        with reaching(request):
            return answers.checked(self._http.send(request))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Handle:
    """One request."""

    request_id: str
    client: Client = field(repr=False, compare=False)

    def status(self) -> RequestStatus:
        """Return where the request is."""
        return self.client.send(calls.status(self.request_id))

    def wait(self, timeout: float = 600.0, *, longest_pause: float = 5.0) -> RequestStatus:
        """Return the last status, once the request has ended in whatever way.

        Raises:
            WaitTimeoutError: it had not ended after `timeout` seconds.
        """
        *_, last = watch([self], timeout, longest_pause=longest_pause)
        return last

    def fetch_result(self) -> ResultBody:
        """Return the result as it is stored.

        Raises:
            RequestFailedError: the request ended without one.
            ConflictError: there is none yet.
        """
        try:
            return self.client.send(calls.result(self.request_id))
        except (ConflictError, NotFoundError):
            answers.require_possible_result(self.status())
            raise

    def result(self) -> Any:  # noqa: ANN401 - a model answers any JSON
        """Return the result: parsed JSON, or bytes if it is not JSON (see `fetch_result`)."""
        return self.fetch_result().parsed()

    def cancel(self, *, force: bool = False) -> CancelAnswer:
        """Cancel the request while it is queued; with `force` also while it runs."""
        return self.client.send(calls.cancel(self.request_id, force=force))


def watch(
    handles: Iterable[Handle], timeout: float = 600.0, *, longest_pause: float = 5.0
) -> Iterator[RequestStatus]:
    """Yield each request's status when it is first seen and when it changes, until all ended.

    Raises:
        WaitTimeoutError: after `timeout` seconds some had not ended.
    """
    waiting: dict[Handle, str | None] = dict.fromkeys(handles)
    for pause in looks(timeout, longest_pause_seconds=longest_pause):
        time.sleep(pause)
        for handle, seen in list(waiting.items()):
            status = handle.status()
            if status.status != seen:
                waiting[handle] = status.status
                yield status
            if answers.has_ended(status):
                del waiting[handle]
        if not waiting:
            return
    raise WaitTimeoutError([handle.request_id for handle in waiting], timeout)
