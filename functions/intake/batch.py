"""Accepting many requests in one call; each is accepted or refused alone."""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from functions.intake.service import IntakeService
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import CallerError, RateLimitedError, UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.request import AsyncRequest, RequestId
from penstock.contracts.submission import Submission

_THREADS = 16
_AT_A_TIME = 500
"""Between so many, the time that is left is looked at."""

Refusal = CallerError | UnavailableError

_OVER_LIMIT = RateLimitedError("more requests than may be accepted now", 1)
_OUT_OF_TIME = UnavailableError("accept request", "the call had no time left")
_NOT_QUEUED = UnavailableError("queue request", "the message was not taken")


class _Stored(NamedTuple):
    """An item whose row is there."""

    request: AsyncRequest
    submission: Submission
    message: QueueMessage | None
    """`None`: it is queued already, or has begun."""


@dataclass(frozen=True, kw_only=True)
class BatchIntake:
    """Accepts batches by the steps of an `IntakeService`.

    An item is acknowledged once its row and its message are there: what a crash leaves behind is
    what it leaves of a single submission.
    """

    service: IntakeService
    seconds: float = 20
    """How long items are accepted; those left are refused, to be sent again."""

    elapsed: Callable[[], float] = time.monotonic
    """Seconds since any fixed moment."""

    def accept(
        self, items: Sequence[Submission | CallerError], deployment: Deployment
    ) -> Sequence[AsyncRequest | Refusal]:
        """Return what became of each item; one that could not be read stays refused.

        Raises:
            RateLimitedError: not one of them may be accepted now.
        """
        deadline = self.elapsed() + self.seconds
        ends: list[AsyncRequest | Refusal] = [
            _OVER_LIMIT if isinstance(item, Submission) else item for item in items
        ]
        readable = [(at, item) for at, item in enumerate(items) if isinstance(item, Submission)]
        admitted = readable[: self._admitted([submission for _, submission in readable])]
        with ThreadPoolExecutor(_THREADS) as threads:
            for start in range(0, len(admitted), _AT_A_TIME):
                places, submissions = zip(*admitted[start : start + _AT_A_TIME], strict=True)
                found: Sequence[AsyncRequest | Refusal] = [_OUT_OF_TIME] * len(places)
                if self.elapsed() < deadline:
                    found = self._accepted(submissions, deployment, threads)
                for at, end in zip(places, found, strict=True):
                    ends[at] = end
        return ends

    def _admitted(self, submissions: Sequence[Submission]) -> int:
        if not submissions or self.service.admission is None:
            return len(submissions)
        return self.service.admission.admit_some(submissions[0].tenant, len(submissions))

    def _accepted(
        self, submissions: Sequence[Submission], deployment: Deployment, threads: Executor
    ) -> Sequence[AsyncRequest | Refusal]:
        stored = list(threads.map(lambda one: self._stored(one, deployment), submissions))
        kept = [one for one in stored if isinstance(one, _Stored)]
        not_taken = self._not_taken(kept, deployment)
        lost = [one for one in kept if one.request.request_id in not_taken]
        list(threads.map(lambda one: self.service.withdraw(one.request, one.submission), lost))
        return [_end(one, not_taken) for one in stored]

    def _stored(self, submission: Submission, deployment: Deployment) -> _Stored | Refusal:
        try:
            self.service.check_input(submission, deployment)
            request, message = self.service.prepare(submission, deployment)
        except (CallerError, UnavailableError) as error:
            return error
        try:
            request, is_waiting = self.service.store(request, submission)
        except CallerError as error:
            return error
        except UnavailableError as error:
            self.service.withdraw(request, submission)
            return error
        return _Stored(request, submission, message if is_waiting else None)

    def _not_taken(
        self, stored: Sequence[_Stored], deployment: Deployment
    ) -> Collection[RequestId]:
        """Send the messages that are wanted; return whose were not taken."""
        # By id: a key may stand in a batch twice.
        waiting = {one.request.request_id: one for one in stored if one.message}
        queue, not_taken = self.service.queue_of(deployment), set[RequestId]()
        for lane in {(one.request.priority, one.request.tenant) for one in waiting.values()}:
            messages = [
                one.message
                for one in waiting.values()
                if one.message and (one.request.priority, one.request.tenant) == lane
            ]
            priority, tenant = lane
            try:
                not_taken |= set(queue.send_many(messages, priority=priority, tenant=tenant))
            except UnavailableError:
                not_taken |= {message.request_id for message in messages}
        return not_taken


def _end(stored: _Stored | Refusal, not_taken: Collection[RequestId]) -> AsyncRequest | Refusal:
    if not isinstance(stored, _Stored):
        return stored
    return _NOT_QUEUED if stored.request.request_id in not_taken else stored.request
