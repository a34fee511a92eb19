"""Ending requests that no worker holds: too old, or given up after their last attempt."""

from dataclasses import dataclass

from penstock.contracts.errors import ClaimRefusedError, LeaseLostError
from penstock.contracts.outcome import Fault, FaultCode, Succeeded
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.objects import RequestObjects


@dataclass(frozen=True, kw_only=True)
class Endings:
    """Writes the terminal state, and no object: whoever announces the end does that.

    A worker may yet take the request before it ends; a document would then be of no end.
    """

    requests: RequestStore
    results: ResultStore

    def expire(self, request: AsyncRequest) -> AsyncRequest | None:
        """End a request that waited too long; `None` if it moved meanwhile.

        It fails, in the model server's own words, if that was asked and did not take it.
        """
        if request.refusal is not None:
            return self.give_up(request, request.refusal.fault)
        waited = round((request.deadline_at - request.created_at).total_seconds())
        fault = Fault(
            code=FaultCode.MODEL_UNAVAILABLE,
            message=f"Not started within max_time_in_queue_seconds ({waited} s).",
        )
        try:
            return self.requests.expire(request.request_id, fault)
        except ClaimRefusedError:
            return None

    def give_up(
        self, request: AsyncRequest, fault: Fault, *, may_wait: bool = True
    ) -> AsyncRequest | None:
        """End a request that nobody holds; `None` if it moved meanwhile.

        It fails, unless its last attempt stored a result and died before it could say so. Whether
        it did must be known: no other run would find it. Unless this `may_wait`, a caller's place
        that is unavailable counts as empty.

        Raises:
            UnavailableError: AWS failed.
        """
        try:
            if request.state is RequestState.IN_PROGRESS and (
                left := RequestObjects(self.results).find_result(request, may_wait=may_wait)
            ):
                return self.requests.finish(request, Succeeded(result=left))
            return self.requests.give_up(request, fault)
        except (ClaimRefusedError, LeaseLostError):
            return None


def worker_died(request: AsyncRequest) -> Fault:
    """Return the fault of a request whose last allowed attempt took its worker with it."""
    return Fault(
        code=FaultCode.MODEL_UNAVAILABLE,
        message=f"The worker died in attempt {request.failed_attempts}, the last one allowed.",
    )
