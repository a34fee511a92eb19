"""What SNS subscribers and the webhook queue are told when a request ends."""

from typing import Annotated, Literal, Self

from penstock.contracts.contract import Contract, UtcDatetime, kept_if_unknown
from penstock.contracts.outcome import Fault, StoredObject
from penstock.contracts.queue_text import travelling_json
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, Tenant


class Notification(Contract):
    """One ended request. Delivered at least once; `event_id` is the same each time."""

    version: Literal[1] = 1
    event_id: str
    request_id: RequestId
    tenant: Tenant
    model_id: str
    deployment_id: str
    state: Annotated[RequestState, kept_if_unknown(RequestState)]
    created_at: UtcDatetime
    ended_at: UtcDatetime
    attempts: int
    result: StoredObject | None
    """The result, or the failure document."""

    faults: tuple[Fault, ...]
    has_webhook: bool
    """Whether the webhook queue wants it (the subscription's filter looks here)."""

    traceparent: str | None = None
    """The trace that the request ended in, if that is known."""

    @classmethod
    def of(cls, request: AsyncRequest) -> Self:
        """Return what is said of an ended request."""
        return cls(
            # With the attempt, because a request that is redriven may end in the same way again.
            event_id=f"{request.request_id}.{request.attempt}.{request.state.lower()}",
            request_id=request.request_id,
            tenant=request.tenant,
            model_id=request.model_id,
            deployment_id=request.deployment_id,
            state=request.state,
            created_at=request.created_at,
            ended_at=request.status_at,
            attempts=request.failed_attempts,
            result=request.result,
            faults=request.faults,
            has_webhook=request.webhook_endpoint is not None,
        )

    def encoded(self) -> str:
        """Return the text to publish."""
        return travelling_json(self.model_dump_json())
