"""When a call is repeated, and how often a waiting caller looks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from tenacity import BaseRetrying, RetryCallState
from tenacity.retry import retry_if_exception
from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_random_exponential

from penstock.client.errors import ApiUnreachableError, PenstockApiError
from penstock.contracts.http.native import LONGEST_WAIT_SECONDS

ATTEMPTS = 5
"""How often a call is made before its error is raised."""

LONGEST_PAUSE_SECONDS = 60.0
"""A `Retry-After` beyond this is left to the caller."""

_ANSWER_SECONDS = 5
"""How long an answer may take beside what it was asked to wait."""

Kind = TypeVar("Kind", bound=BaseRetrying)

_TRANSIENT_STATUS = {429, 502, 503, 504}
_backoff = wait_random_exponential(multiplier=0.5, max=8)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed soon."""
    if isinstance(error, PenstockApiError):
        pause = error.retry_after_seconds or 0
        return error.status_code in _TRANSIENT_STATUS and pause <= LONGEST_PAUSE_SECONDS
    return isinstance(error, ApiUnreachableError)


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, PenstockApiError) else None
    return _backoff(state) if asked is None else asked


def retrying(kind: type[Kind], attempts: int) -> Kind:
    """Return the retries of a client, synchronous or not."""
    return kind(
        retry=retry_if_exception(is_transient),
        wait=_pause,
        stop=stop_after_attempt(attempts),
        reraise=True,
    )


@contextmanager
def reaching(request: httpx.Request) -> Iterator[None]:
    """Turn a failure of the transport into the SDK's own error."""
    try:
        yield
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise ApiUnreachableError(
            f"{request.url.scheme}://{request.url.netloc.decode()}", reason
        ) from error


def looks(
    timeout_seconds: float,
    *,
    first_pause_seconds: float = 0.2,
    longest_pause_seconds: float = 5.0,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[float]:
    """Yield the pause before each look: none before the first, then growing by half.

    The last look is taken when the time is up.
    """
    ends_at = now() + timeout_seconds
    yield 0.0
    pause = first_pause_seconds
    while (left := ends_at - now()) > 0:
        yield min(pause, left)
        pause = min(pause * 1.5, longest_pause_seconds)


def wait_limit(http_timeout_seconds: float) -> int:
    """Return how long the API may be asked to wait, so that its answer still comes in time."""
    return max(0, min(LONGEST_WAIT_SECONDS, int(http_timeout_seconds) - _ANSWER_SECONDS))


def waits(
    timeout_seconds: float,
    *,
    longest_wait_seconds: int,
    longest_pause_seconds: float = 5.0,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[float, int]]:
    """Yield, before each look, how long to pause and how long the API may wait for the end.

    An API that waits is asked again at once; the pauses are for one that does not. The last look
    is taken when the time is up.
    """
    ends_at = now() + timeout_seconds
    pause, growing = 0.0, 0.2
    while True:
        began = now()
        wait = max(0, min(longest_wait_seconds, int(ends_at - began - pause)))
        yield pause, wait
        if (left := ends_at - now()) <= 0:
            return
        if wait and now() - began - pause >= wait:
            pause = 0.0
        else:
            pause, growing = min(growing, left), min(growing * 1.5, longest_pause_seconds)
