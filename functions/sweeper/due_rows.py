"""Deciding what becomes of one row that is due."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.endings import Endings, worker_died

PATIENCE = timedelta(hours=1)
"""How long the end of a request waits for a place of its caller that is unavailable."""

_LOST_AFTER = timedelta(minutes=15)
"""SQS settles its counts within a minute, and no retry waits longer than one."""

_LOOK_AGAIN_SECONDS = 300

_LOST = Fault(
    code=FaultCode.INTERNAL_SERVER_ERROR,
    message="The queue message of this request was lost; send the request again.",
)
_REMOVED = Fault(
    code=FaultCode.MODEL_DOES_NOT_EXIST,
    message="The deployment was removed while this request waited for it.",
)
_OUTLIVED = Fault(
    code=FaultCode.MODEL_UNAVAILABLE,
    message="A worker gave this request back, and none took it again before its record expired.",
)


@dataclass(frozen=True, kw_only=True)
class DueRows:
    """Ends what can no longer go on by itself; made anew for every sweep."""

    requests: RequestStore
    endings: Endings
    catalog: Catalog
    queue_of: Callable[[Deployment], RequestQueue]
    clock: Clock
    _is_idle: dict[str, bool] = field(default_factory=dict, init=False)
    """By deployment: whether its queues are empty. Asked once, rows of one come in numbers."""

    def tend(self, row: AsyncRequest) -> AsyncRequest | None:
        """Return the row as it has ended, if it has and must be announced."""
        now = self.clock()
        if row.state.is_terminal:
            return row if row.is_unannounced else None
        if row.is_past_deadline(now):
            return self.endings.expire(row)
        if row.state is RequestState.IN_PROGRESS and not row.is_abandoned(now):
            return None  # it moved since the index was read
        if fault := self._why_over(row):
            stood_since = row.lease_until or row.status_at
            return self.endings.give_up(row, fault, may_wait=now < stood_since + PATIENCE)
        self.requests.postpone(row.request_id, _LOOK_AGAIN_SECONDS)
        return None

    def _why_over(self, row: AsyncRequest) -> Fault | None:
        """Return why an open row that nobody holds ends now; `None` if it may go on."""
        if row.attempts_left <= 0:
            return worker_died(row)
        if row.must_end_by <= self.clock():
            return _OUTLIVED
        return self.why_stranded(row)

    def why_stranded(self, row: AsyncRequest) -> Fault | None:
        """Return why no worker will ever take an open row; `None` if one still may.

        It has stood still for long, and there is no message that it could be the request of.
        """
        now = self.clock()
        stands_still = (row.lease_until or row.status_at) + _LOST_AFTER <= now
        if row.is_leased(now) or not stands_still:
            return None
        model = self.catalog.find_model(row.model_id)
        deployment = model.deployments.get(row.deployment_id) if model else None
        if deployment is None:
            return _REMOVED
        if deployment.deployment_id not in self._is_idle:
            depth = self.queue_of(deployment).depth()
            self._is_idle[deployment.deployment_id] = depth.queued + depth.in_progress == 0
        return _LOST if self._is_idle[deployment.deployment_id] else None
