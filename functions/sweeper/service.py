"""One sweep: rows that are due, then dead letters; safe to run twice at once.

Every step is a conditional update, so of two sweeps one ends a request. Both may announce it:
notifications come at least once, with a stable event id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aws_lambda_powertools import Logger

from functions.sweeper.dead_letters import DeadLetters, looking_through
from functions.sweeper.due_rows import DueRows
from functions.telemetry import Count
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from penstock.contracts.request import AsyncRequest
from penstock.protocol.announcing import Announcing, notification_of
from penstock.protocol.endings import Endings

_ROWS = 1_000
_PAGE = 50
"""So many rows are ended before they are announced together."""

HasTime = Callable[[], bool]
"""Whether there is time to begin another page."""

T = TypeVar("T")
R = TypeVar("R")

_logger = Logger(service="sweeper")


@dataclass(frozen=True, kw_only=True)
class SweeperService:
    """Finishes what nobody else will finish."""

    catalog: Catalog
    requests: RequestStore
    results: ResultStore
    notifier: Notifier
    queue_of: Callable[[Deployment], RequestQueue]
    dead_letters_of: Callable[[Deployment], DeadLetterQueue]
    clock: Clock
    count: Count

    def sweep(self, has_time: HasTime) -> None:
        """Look at what is due, as long as there is time; the next sweep goes on.

        Raises:
            UnavailableError: what is due could not be found out.
        """
        self.count(FunctionMetric.SWEEPS)
        endings = Endings(requests=self.requests, results=self.results)
        rows = DueRows(
            requests=self.requests,
            endings=endings,
            catalog=self.catalog,
            queue_of=self.queue_of,
            clock=self.clock,
        )
        due = self.requests.due(_ROWS)
        for start in range(0, len(due), _PAGE):
            if not has_time():
                return
            self._end(rows.tend, due[start : start + _PAGE])
        self._sweep_dead_letters(DeadLetters(requests=self.requests, endings=endings), has_time)

    def _sweep_dead_letters(self, letters: DeadLetters, has_time: HasTime) -> None:
        deployments = [
            deployment
            for model in self.catalog.all_models()
            for deployment in model.deployments.values()
        ]

        def look_through(queue: DeadLetterQueue) -> None:
            with looking_through(queue, has_time) as pages:
                for page in pages:
                    self._end(letters.tend, page)

        lying = []
        for deployment in deployments:
            queue = self.dead_letters_of(deployment)
            if has_time() and (count := self._tried(_count, queue)):
                lying.append((count, queue))
        # The shortest first: one that takes all the time delays no other.
        for _, queue in sorted(lying, key=lambda found: found[0]):
            self._tried(look_through, queue)

    def _end(self, tend: Callable[[T], AsyncRequest | None], page: Sequence[T]) -> None:
        """Tend each of a page, and announce those that have ended."""
        ended = [request for each in page if (request := self._tried(tend, each)) is not None]
        for request in ended:
            self.count(FunctionMetric.of_swept(request.state))
        if not ended:
            return
        told = [said for request in ended if (said := notification_of(request)) is not None]
        refused = self._tried(self.notifier.publish, told) if told else ()
        if refused is None:
            return  # they stay due
        unheard = {notification.request_id for notification in refused}
        for request in ended:
            if request.request_id not in unheard:
                self._tried(self._conclude, request)

    def _conclude(self, request: AsyncRequest) -> None:
        Announcing(results=self.results, notifier=self.notifier).keep_promises(request)
        self.requests.mark_notified(request.request_id)

    def _tried(self, step: Callable[[T], R], subject: T) -> R | None:
        """Return what a step returns; one that fails is logged and stops no other."""
        try:
            return step(subject)
        except Exception as error:  # one row or queue must not take the others with it
            self.count(FunctionMetric.SWEEP_STEPS_FAILED)
            request_id = getattr(subject, "request_id", None)
            _logger.exception(
                "sweep step failed", extra={"request_id": request_id, "reason": str(error)}
            )
            return None


def _count(queue: DeadLetterQueue) -> int:
    return queue.count()
