"""Waiting for the requests of a batch, and one line of JSON for each."""

import base64
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from penstock.cli.batch.progress import bar
from penstock.client import (
    BatchEntry,
    Client,
    ConflictError,
    NotFoundError,
    RequestFailedError,
    RequestStatus,
    ResultBody,
    WaitTimeoutError,
    has_ended,
    has_result,
    watch_many,
)

_THREADS = 8
_AHEAD = 2 * _THREADS
"""Results held in memory while those before them are fetched."""


@dataclass
class Results:
    """What the requests of some lines came to."""

    client: Client
    entries: Sequence[BatchEntry]
    are_late: bool = field(default=False, init=False)
    """Whether some had not ended when the time was up."""

    _seen: dict[str, RequestStatus] = field(default_factory=dict, init=False)

    def wait(self, timeout: float) -> None:
        """Follow the requests until they have ended or the time is up."""
        ids = [entry.request_id for entry in self.entries if entry.request_id]
        with bar("ended", len(set(ids))) as show:
            ended = 0
            try:
                for status in watch_many(self.client, ids, timeout):
                    self._seen[status.request_id] = status
                    ended += has_ended(status)
                    show(ended)
            except WaitTimeoutError:
                self.are_late = True
            except NotFoundError:
                pass  # their lines say so

    def lines(self, *, with_bar: bool) -> Iterator[Mapping[str, Any]]:
        """Yield a line for each, in their order, with the results that there are."""
        with (
            bar("fetched", len(self.entries), is_wanted=with_bar) as show,
            ThreadPoolExecutor(_THREADS) as threads,
        ):
            for done, line in enumerate(_in_order(threads, self._line, self.entries), 1):
                yield line
                show(done)

    def _line(self, entry: BatchEntry) -> Mapping[str, Any]:
        line: dict[str, Any] = entry.model_dump(mode="json")
        if entry.request_id is None:
            return line
        status = self._seen.get(entry.request_id)
        if status is None:
            unknown = "not looked at in time" if self.are_late else "the request does not exist"
            return line | {"error": unknown}
        line["status"] = status.status
        if not has_ended(status):
            return line | {"error": "had not ended when the time was up"}
        if not has_result(status):
            return line | {"error": _reason(status)}
        try:
            return line | _shown(self.client.handle(entry.request_id).fetch_result())
        except (ConflictError, NotFoundError, RequestFailedError) as error:
            return line | {"error": str(error)}


def _reason(status: RequestStatus) -> str:
    faults = "; ".join(f"{fault.code}: {fault.message}" for fault in status.errors)
    return faults or f"the request ended {status.status}"


def _shown(result: ResultBody) -> dict[str, Any]:
    try:
        if result.is_json:
            # What Python reads as JSON, NaN for one, others may not.
            return {"result": json.loads(result.content, parse_constant=_refuse)}
    except ValueError:
        pass
    encoded = base64.b64encode(result.content).decode()
    return {"result_base64": encoded, "content_type": result.content_type}


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _in_order(
    threads: ThreadPoolExecutor,
    line_of: Callable[[BatchEntry], Mapping[str, Any]],
    entries: Iterable[BatchEntry],
) -> Iterator[Mapping[str, Any]]:
    begun: deque[Future[Mapping[str, Any]]] = deque()
    for entry in entries:
        begun.append(threads.submit(line_of, entry))
        if len(begun) == _AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
