"""Waiting for a request's end within one call."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from penstock.contracts.errors import UnknownRequestError
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestId

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 0.5
_GROWTH = 1.5


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Looks at a row, with growing pauses in between, until it is terminal or time is up."""

    requests: RequestStore
    elapsed: Callable[[], float] = time.monotonic
    """Seconds since any fixed moment."""

    sleep: Callable[[float], None] = time.sleep

    def for_end(self, request_id: RequestId, seconds: float) -> AsyncRequest:
        """Return the row as soon as it is terminal, or as it is after `seconds`.

        Raises:
            UnknownRequestError: there is no such row.
            UnavailableError: the table could not be read.
        """
        deadline = self.elapsed() + seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            request = self.requests.find(request_id)
            if request is None:
                raise UnknownRequestError(request_id)
            left = deadline - self.elapsed()
            if request.state.is_terminal or left <= 0:
                return request
            self.sleep(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
