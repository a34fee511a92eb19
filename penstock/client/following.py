"""Following several requests at once."""

import time
from collections.abc import Iterable, Iterator, Sequence

from penstock.client import answers
from penstock.client.client import Client, Handle
from penstock.client.errors import WaitTimeoutError
from penstock.client.pacing import looks
from penstock.contracts.http.baseten import RequestStatus


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
    request_ids: Sequence[str],
    timeout: float = 600.0,
    *,
    longest_pause: float = 5.0,
) -> Iterator[RequestStatus]:
    """As `watch`, for any number of requests of one API: a hundred are asked for at once.

    Raises:
        WaitTimeoutError: after `timeout` seconds some had not ended.
    """
    waiting: dict[str, str | None] = dict.fromkeys(request_ids)
    for pause in looks(timeout, longest_pause_seconds=longest_pause):
        time.sleep(pause)
        for request_id, status in client.statuses(list(waiting)).items():
            if status.status != waiting[request_id]:
                waiting[request_id] = status.status
                yield status
            if answers.has_ended(status):
                del waiting[request_id]
        if not waiting:
            return
    raise WaitTimeoutError(list(waiting), timeout)
