"""Accepting many requests in one call; each is accepted or refused alone."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from aws_lambda_powertools import Logger

from functions.intake.service import IntakeService
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import CallerError, RateLimitedError, UnavailableError
from penstock.contracts.message import QueueMessage
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.submission import Submission

_THREADS = 16
_AT_A_TIME = 500
"""Between so many, the time that is left is looked at."""

_logger = Logger(service="intake")

Refusal = Exception
"""What callers are not told the reason of is one of those that nobody foresaw."""

_OVER_LIMIT = RateLimitedError("more requests than may be accepted now", 1)
_OUT_OF_TIME = UnavailableError("accept request", "the call had no time left")
_NOT_QUEUED = UnavailableError("queue request", "the message was not taken")


class _Stored(NamedTuple):
    """An item whose row is there."""

    request: AsyncRequest
    submission: Submission
    message: QueueMessage
    waits_at: Deployment | None
    """Whose queue wants the message; `None`: it is queued already, or has begun."""


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
        refused = self._send(kept)
        lost = [one for one in kept if one.request.request_id in refused]
        list(threads.map(lambda one: self.service.withdraw(one.request, one.submission), lost))
        return [_end(one, refused) for one in stored]

    def _stored(self, submission: Submission, deployment: Deployment) -> _Stored | Refusal:
        try:
            self.service.check_input(submission, deployment)
            request, message = self.service.prepare(submission, deployment)
            with self.service.withdrawing(request, submission):
                request, waits_at = self.service.store(request, submission, deployment)
        except Exception as error:  # noqa: BLE001 - one item must not take the others with it
            _log_unforeseen(error)
            return error
        return _Stored(request, submission, message, waits_at)

    def _send(self, stored: Sequence[_Stored]) -> Mapping[RequestId, Refusal]:
        """Send the messages that are wanted; return whose were not taken, and why."""
        deployments = {one.waits_at.deployment_id: one.waits_at for one in stored if one.waits_at}
        lanes: dict[tuple[str, int, Tenant], dict[RequestId, QueueMessage]] = {}
        for request, _, message, waits_at in stored:
            if waits_at is not None:
                lane = waits_at.deployment_id, request.priority, request.tenant
                # By id: a key may stand in a batch twice.
                lanes.setdefault(lane, {})[request.request_id] = message
        refused: dict[RequestId, Refusal] = {}
        for (deployment_id, priority, tenant), messages in lanes.items():
            try:
                queue = self.service.queue_of(deployments[deployment_id])
                left = queue.send_many([*messages.values()], priority=priority, tenant=tenant)
                refused |= dict.fromkeys(left, _NOT_QUEUED)
            except Exception as error:  # noqa: BLE001 - the rows are there: each needs an answer
                _log_unforeseen(error)
                refused |= dict.fromkeys(messages, error)
        return refused


def _log_unforeseen(error: Exception) -> None:
    if not isinstance(error, CallerError | UnavailableError):
        _logger.error("item not accepted", exc_info=error)


def _end(stored: _Stored | Refusal, refused: Mapping[RequestId, Refusal]) -> AsyncRequest | Refusal:
    if not isinstance(stored, _Stored):
        return stored
    return refused.get(stored.request.request_id, stored.request)
