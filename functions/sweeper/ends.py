"""Bringing requests to their end and announcing it, some at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from aws_lambda_powertools import Logger

from functions.sweeper.due_rows import PATIENCE
from functions.telemetry import Count
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.protocol.announcing import Announcing, failure_to_name, notification_of

T = TypeVar("T")
R = TypeVar("R")

_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS = 60.0, 3_600.0

_logger = Logger(service="sweeper")


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Ends requests that nobody moves any more. What fails is logged and stops no other."""

    requests: RequestStore
    results: ResultStore
    notifier: Notifier
    clock: Clock
    count: Count

    def bring_about(self, tend: Callable[[T], AsyncRequest | None], subjects: Sequence[T]) -> None:
        """Tend each, and announce those that have ended, together."""
        tended = [self.tried(partial(tend, each), about=each) for each in subjects]
        ended = [request for request in tended if request is not None]
        for request in ended:
            self.count(FunctionMetric.of_swept(request.state))
        prepared = [self.tried(partial(self._prepared, each), about=each) for each in ended]
        told = [each for each in prepared if each is not None]
        heard = self._published(told)
        for request in ended:
            if request.request_id in heard:
                failure = failure_to_name(request, heard[request.request_id])
                self.tried(partial(self.requests.mark_notified, request, failure), about=request)

    def leave_alone(self, request_id: RequestId) -> None:
        """Let a row be that only another version of Penstock can read."""
        self.count(FunctionMetric.ROWS_UNREADABLE)
        _logger.error("row left to another version", extra={"request_id": request_id})
        rest = partial(self.requests.postpone, request_id, _LONGEST_REST_SECONDS)
        self.tried(rest, about=None)

    def tried(self, step: Callable[[], R], *, about: object) -> R | None:
        """Return what a step returns; `None` if it failed, after which a row rests."""
        try:
            return step()
        except Exception as error:  # one row or queue must not take the others with it
            self.count(FunctionMetric.SWEEP_STEPS_FAILED)
            request_id = getattr(about, "request_id", None)
            _logger.exception(
                "sweep step failed", extra={"request_id": request_id, "reason": str(error)}
            )
        if isinstance(about, AsyncRequest):
            self._rest(about)
        return None

    def _prepared(self, ended: AsyncRequest) -> AsyncRequest:
        announcing = Announcing(results=self.results, notifier=self.notifier)
        return announcing.prepare(ended, may_wait=self.clock() < ended.status_at + PATIENCE)

    def _published(self, told: Sequence[AsyncRequest]) -> dict[RequestId, AsyncRequest]:
        """Return those of which now all have heard who must."""
        notifications = [said for each in told if (said := notification_of(each)) is not None]
        if not notifications:
            return {each.request_id: each for each in told}
        refused = self.tried(partial(self.notifier.publish, notifications), about=None)
        unheard = {each.request_id for each in (notifications if refused is None else refused)}
        for request in told:
            if request.request_id in unheard:
                self._rest(request)
        return {each.request_id: each for each in told if each.request_id not in unheard}

    def _rest(self, row: AsyncRequest) -> None:
        """Look at a row again later, the later the longer it has been due.

        It must not stand in the way of others, nor be announced again with each sweep.
        """
        overdue_seconds = (self.clock() - _due_since(row)).total_seconds()
        seconds = min(max(overdue_seconds, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)
        self.tried(partial(self.requests.postpone, row.request_id, seconds), about=None)


def _due_since(row: AsyncRequest) -> datetime:
    if row.state.is_terminal:
        return row.status_at
    return (row.lease_until or row.status_at) if row.was_claimed else row.deadline_at
