"""One sweep: rows that are due and dead letters, in turn; safe to run twice at once.

Every step is a conditional update, so of two sweeps one ends a request. Both may announce it:
notifications come at least once, with a stable event id.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TypeVar

from functions.sweeper.dead_letters import LOOKS_FOR_SECONDS, DeadLetters, looking_through
from functions.sweeper.due_rows import DueRows
from functions.sweeper.ends import Ends
from functions.sweeper.workforce import Job, Workforce
from functions.telemetry import Count
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.dead_letters import DeadLetterQueue
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.notifications import Notifier
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import RequestQueue, RequestStore, UnreadableRow
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.protocol.announcing import touches_callers_places
from penstock.protocol.endings import Endings

_ROWS = 1_000
_SLOW = timedelta(seconds=5)
"""A tenant whose places take so long for one row has its others looked at by the next sweep."""

_TOGETHER = 10
"""So many rows are ended, and then announced by one call: as many as SNS takes at once."""

HasTime = Callable[[], bool]
"""Whether there is time to begin another job."""

T = TypeVar("T")


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
    workforce: Workforce

    def sweep(self, has_time: HasTime) -> None:
        """Look at all that is due, as long as there is time; the next sweep goes on.

        Raises:
            UnavailableError: what is due could not be found out.
        """
        self.count(FunctionMetric.SWEEPS)
        rows, ends = self._rows(), self._ends()
        letters = self._letter_jobs(rows, ends, has_time)
        seen: set[RequestId] = set()
        promised: list[AsyncRequest] = []
        while has_time():
            # The index lags behind: what was just settled may be in it still.
            due = [row for row in self.requests.due(_ROWS) if row.request_id not in seen]
            if not due:
                break
            seen.update(row.request_id for row in due)
            theirs, ours = _apart(due)
            promised += theirs
            jobs = _in_between(_row_jobs(rows, ends, ours), letters)
            self.workforce(_while(has_time, jobs))
        # Places of callers may hang: they come last, and nobody's end waits for another's place.
        jobs = _in_between(self._promised_jobs(rows, ends, promised), letters)
        self.workforce(_while(has_time, jobs))
        self.workforce(_while(has_time, letters))

    def _promised_jobs(
        self, rows: DueRows, ends: Ends, promised: Sequence[AsyncRequest]
    ) -> Iterator[Job]:
        """Yield a job for each row whose end touches places of its caller."""
        slow: set[Tenant] = set()

        def look(row: AsyncRequest) -> None:
            began = self.clock()
            ends.bring_about(partial(self._tend_now, rows), [row])
            if self.clock() - began >= _SLOW:
                slow.add(row.tenant)

        for row in promised:  # tenants take turns in it
            if row.tenant not in slow:
                yield partial(look, row)

    def _tend_now(self, rows: DueRows, seen: AsyncRequest) -> AsyncRequest | None:
        """Tend a row as it is now: it has waited, and may have been announced or redriven since."""
        row = self.requests.find(seen.request_id)
        return rows.tend(row) if row is not None and row.state.is_known else None

    def _rows(self) -> DueRows:
        return DueRows(
            requests=self.requests,
            endings=self._endings(),
            catalog=self.catalog,
            queue_of=self.queue_of,
            clock=self.clock,
        )

    def _ends(self) -> Ends:
        return Ends(
            requests=self.requests,
            results=self.results,
            notifier=self.notifier,
            clock=self.clock,
            count=self.count,
        )

    def _endings(self) -> Endings:
        return Endings(requests=self.requests, results=self.results)

    def _letter_jobs(self, rows: DueRows, ends: Ends, has_time: HasTime) -> Iterator[Job]:
        """Yield a job for each dead-letter queue."""
        letters = DeadLetters(requests=self.requests, endings=self._endings(), rows=rows)
        for model in ends.tried(self.catalog.all_models, about=None) or ():
            for deployment in model.deployments.values():
                look = partial(self._look_through, deployment, letters, ends, has_time)
                yield partial(_try, ends, look)

    def _look_through(
        self, deployment: Deployment, letters: DeadLetters, ends: Ends, has_time: HasTime
    ) -> None:
        queue = self.dead_letters_of(deployment)
        if not queue.count():
            return
        until = self.clock() + timedelta(seconds=LOOKS_FOR_SECONDS)
        with looking_through(queue, lambda: has_time() and self.clock() < until) as pages:
            for page in pages:
                ends.bring_about(letters.tend, page)


def _apart(
    due: Sequence[AsyncRequest | UnreadableRow],
) -> tuple[list[AsyncRequest], list[AsyncRequest | UnreadableRow]]:
    """Return the rows whose end touches places of their callers, and all others."""
    theirs = [
        row
        for row in due
        if isinstance(row, AsyncRequest) and row.state.is_known and touches_callers_places(row)
    ]
    ids = {row.request_id for row in theirs}
    return theirs, [row for row in due if row.request_id not in ids]


def _row_jobs(
    rows: DueRows, ends: Ends, due: Sequence[AsyncRequest | UnreadableRow]
) -> Iterator[Job]:
    """Yield jobs that between them look at all rows."""
    ours = [row for row in due if isinstance(row, AsyncRequest) and row.state.is_known]
    for start in range(0, len(ours), _TOGETHER):
        yield partial(ends.bring_about, rows.tend, ours[start : start + _TOGETHER])
    known = {row.request_id for row in ours}
    for row in due:
        if row.request_id not in known:
            yield partial(ends.leave_alone, row.request_id)


def _try(ends: Ends, step: Job) -> None:
    ends.tried(step, about=None)


def _in_between(first: Iterator[T], second: Iterator[T]) -> Iterator[T]:
    """Yield all of one, and after each of them one of the other, so that neither starves."""
    for each in first:
        yield each
        yield from islice(second, 1)


def _while(has_time: HasTime, jobs: Iterator[Job]) -> Iterator[Job]:
    while has_time() and (job := next(jobs, None)) is not None:
        yield job
