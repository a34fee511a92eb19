"""Waiting for the requests of a batch, and a line of JSON for each as soon as it has ended."""

import base64
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from penstock.cli.batch.progress import bar
from penstock.cli.batch.report import Verbatim
from penstock.client import (
    BatchEntry,
    Client,
    ClientError,
    ConflictError,
    NotFoundError,
    RequestFailedError,
    RequestStatus,
    ResultBody,
    WaitTimeoutError,
    has_ended,
    has_result,
)
from penstock.client.following import watch_by_call
from penstock.contracts.json_text import NotJsonError, parse_exact_json

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

    trouble: ClientError | None = field(default=None, init=False)
    """Why the API could not be asked any further."""

    _seen: dict[str, RequestStatus] = field(default_factory=dict, init=False)

    def lines(self, timeout: float, *, share_terminal: bool) -> Iterator[Mapping[str, Any]]:
        """Yield a line for each as soon as it is known, until the time is up or the API fails.

        Then one for each of the others, which says what is known. Lines that `share_terminal` with
        the bar are yielded while it is away.
        """
        waiting: dict[str, list[BatchEntry]] = {}
        for entry in self.entries:
            if entry.request_id is None:
                yield entry.model_dump(mode="json")
            else:
                waiting.setdefault(entry.request_id, []).append(entry)
        with bar("ended", len(waiting)) as shown, ThreadPoolExecutor(_THREADS) as threads:
            total = len(waiting)
            for ended in self._ended(list(waiting), timeout):
                entries = [entry for request_id in ended for entry in waiting.pop(request_id)]
                with shown.away() if share_terminal and entries else nullcontext():
                    yield from _in_order(threads, self._fetched, entries)
                shown.show(total - len(waiting))
        for entries in waiting.values():
            yield from map(self._unknown, entries)

    def _ended(self, request_ids: Sequence[str], timeout: float) -> Iterator[Sequence[str]]:
        """Yield those that have ended, as they do."""
        try:
            for changed in watch_by_call(self.client, request_ids, timeout):
                self._seen |= {status.request_id: status for status in changed}
                yield [status.request_id for status in changed if has_ended(status)]
                if self.trouble:
                    return
        except WaitTimeoutError:
            self.are_late = True
        except NotFoundError:
            pass  # their lines say so
        except ClientError as error:
            self.trouble = error

    def _fetched(self, entry: BatchEntry) -> Mapping[str, Any]:
        """Return the line of a request that has ended."""
        request_id = str(entry.request_id)
        status = self._seen[request_id]
        line: dict[str, Any] = {**entry.model_dump(mode="json"), "status": status.status}
        if not has_result(status):
            return line | {"error": _reason(status)}
        if self.trouble:
            return line | {"error": f"its result was not fetched: {self.trouble}"}
        try:
            return line | _shown(self.client.handle(request_id).fetch_result())
        except (ConflictError, NotFoundError, RequestFailedError) as error:
            return line | {"error": str(error)}
        except ClientError as error:
            self.trouble = error
            return line | {"error": f"its result was not fetched: {error}"}

    def _unknown(self, entry: BatchEntry) -> Mapping[str, Any]:
        """Return the line of a request whose end was not seen."""
        line: dict[str, Any] = entry.model_dump(mode="json")
        then = "when the API failed" if self.trouble else "when the time was up"
        if status := self._seen.get(str(entry.request_id)):
            return {**line, "status": status.status, "error": f"had not ended {then}"}
        if self.are_late or self.trouble:
            return line | {"error": f"was not yet looked at {then}"}
        return line | {"error": "the request does not exist"}


def _reason(status: RequestStatus) -> str:
    faults = "; ".join(f"{fault.code}: {fault.message}" for fault in status.errors)
    return faults or f"the request ended {status.status}"


def _shown(result: ResultBody) -> dict[str, Any]:
    if result.is_json:
        with suppress(NotJsonError):
            parse_exact_json(result.content)
            return {"result": Verbatim.of(result.content)}
    encoded = base64.b64encode(result.content).decode()
    return {"result_base64": encoded, "content_type": result.content_type}


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
