"""Following several requests at once."""

import time
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus

from penstock.client import answers
from penstock.client.client import Client, Handle
from penstock.client.errors import NotFoundError, WaitTimeoutError
from penstock.client.pacing import looks
from penstock.contracts.http.baseten import RequestStatus
from penstock.contracts.http.native import MOST_ASKED

_MOST_WATCHED = 1_000


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


def watch_many(
    client: Client,
    request_ids: Iterable[str],
    timeout: float = 600.0,
    *,
    longest_pause: float = 5.0,
) -> Iterator[RequestStatus]:
    """As `watch`, for any number of requests of one API: a hundred are asked for at once.

    As all must end, only the first thousand that have not are looked at.

    Raises:
        WaitTimeoutError: after `timeout` seconds some had not ended.
        NotFoundError: all others have ended, and some do not exist.
    """
    for changed in watch_by_call(client, request_ids, timeout, longest_pause=longest_pause):
        yield from changed


def watch_by_call(
    client: Client,
    request_ids: Iterable[str],
    timeout: float = 600.0,
    *,
    longest_pause: float = 5.0,
) -> Iterator[Sequence[RequestStatus]]:
    """As `watch_many`, but yield together what one call told."""
    waiting: dict[str, str | None] = dict.fromkeys(request_ids)
    missing: list[str] = []
    for pause in looks(timeout, longest_pause_seconds=longest_pause):
        time.sleep(pause)
        yield from _changes(client, waiting, missing)
        if not waiting:
            break
    else:
        raise WaitTimeoutError(list(waiting), timeout)
    if missing:
        said = f"these requests do not exist: {', '.join(missing)}"
        raise NotFoundError(HTTPStatus.NOT_FOUND, said)


def _changes(
    client: Client, waiting: dict[str, str | None], missing: list[str]
) -> Iterator[Sequence[RequestStatus]]:
    """Yield what changed; what needs no second look leaves `waiting`."""
    ids, going_on = list(waiting), 0
    for start in range(0, len(ids), MOST_ASKED):
        if going_on >= _MOST_WATCHED:
            return
        asked = ids[start : start + MOST_ASKED]
        found = client.statuses(asked)
        missing += [request_id for request_id in asked if request_id not in found]
        known = [found[request_id] for request_id in asked if request_id in found]
        yield [status for status in known if status.status != waiting[status.request_id]]
        for request_id in asked:
            status = found.get(request_id)
            if status is None or answers.has_ended(status):
                del waiting[request_id]
            else:
                waiting[request_id] = status.status
                going_on += 1
