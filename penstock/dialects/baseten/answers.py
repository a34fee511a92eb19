"""Rendering a row in Baseten's words."""

from datetime import datetime
from typing import Any

from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.http.baseten import (
    WEBHOOK_FAILED,
    CancelAnswer,
    QueueStatus,
    RequestStatus,
    WebhookBody,
)
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.requests import QueueDepth
from penstock.contracts.request import AsyncRequest, RequestState, WebhookStatus


def shown_status(request: AsyncRequest) -> str:
    """Return the status that a Baseten client sees."""
    if request.state is RequestState.QUEUED and request.was_claimed:
        return RequestState.IN_PROGRESS  # a retry that waits is in progress there
    if request.state is RequestState.SUCCEEDED and request.webhook_status is WebhookStatus.FAILED:
        return WEBHOOK_FAILED
    return request.state


def shown_errors(request: AsyncRequest) -> tuple[Fault, ...]:
    """Return why a request ended without a result; nothing while it may still succeed."""
    if request.state is RequestState.EXPIRED and not request.faults:
        waited = (request.deadline_at - request.created_at).total_seconds()
        message = f"No replica took the request within {waited:.0f} s of waiting in the queue."
        return (Fault(code=FaultCode.MODEL_UNAVAILABLE, message=message),)
    if not request.state.is_terminal or request.state is RequestState.SUCCEEDED:
        return ()
    return request.faults


def request_status(request: AsyncRequest) -> RequestStatus:
    """Return the answer to a question for a request's status."""
    return RequestStatus(
        request_id=request.request_id,
        model_id=None if request.chain_id else request.model_id,
        chain_id=request.chain_id,
        deployment_id=request.deployment_id,
        status=shown_status(request),
        webhook_status=request.webhook_status,
        created_at=request.created_at,
        status_at=request.status_at,
        errors=shown_errors(request),
    )


def cancel_answer(request: AsyncRequest) -> CancelAnswer:
    """Return the answer to a wish to cancel; `request` is the row after the attempt."""
    if request.state is RequestState.CANCELED:
        message = "The request was canceled."
    elif request.state.is_terminal:
        message = f"It is too late: the request is {shown_status(request)}."
    elif request.cancel_requested:
        message = "Cancellation was requested; the attempt that runs is asked to stop."
    else:
        message = "The request is in progress and runs to its end; ?force=true asks it to stop."
    return CancelAnswer(
        request_id=request.request_id,
        canceled=request.state is RequestState.CANCELED,
        message=message,
    )


def queue_status(deployment: Deployment, depth: QueueDepth) -> QueueStatus:
    """Return the answer to a question for a deployment's queue."""
    return QueueStatus(
        model_id=deployment.model_id,
        deployment_id=deployment.deployment_id,
        num_queued_requests=depth.queued,
        num_in_progress_requests=depth.in_progress,
    )


def webhook_body(
    request: AsyncRequest,
    data: Any,  # noqa: ANN401 - any JSON
    now: datetime,
    result_url: str | None = None,
) -> WebhookBody:
    """Return what the webhook of an ended request says.

    Args:
        request: The row.
        data: The parsed result, if there is one and it travels inside.
        now: When the webhook is sent.
        result_url: Where to fetch a result that does not travel inside.
    """
    return WebhookBody(
        request_id=request.request_id,
        model_id=request.model_id,
        deployment_id=request.deployment_id,
        time=now,
        data=data,
        errors=shown_errors(request),
        result_url=result_url,
    )
