"""A webhook as part of the trace of its request.

Lambda begins a trace of its own for each batch, so what belongs to a request is handed to X-Ray's
daemon as a segment of that request's trace.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Tracer
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no types
from aws_xray_sdk.core.models.segment import Segment  # type: ignore[import-untyped]  # likewise

from functions.webhooks.service import Attempt, Verdict
from penstock.contracts.notification import Notification
from penstock.contracts.observability.trace_context import TraceContext

_WENT_WELL = {Verdict.DELIVERED, Verdict.OBSOLETE}


@dataclass(frozen=True, kw_only=True)
class TracedAttempt:
    """What was done about the webhook of an ended request, and when."""

    notification: Notification
    attempt: Attempt
    began_at: datetime
    ended_at: datetime


TraceAttempt = Callable[[TracedAttempt], None]


def trace_nothing(_traced: TracedAttempt) -> None:
    """Record nothing."""


def attempt_tracing(tracer: Tracer) -> TraceAttempt:
    """Return what records attempts where X-Ray's daemon listens, which is in Lambda."""
    return trace_nothing if tracer.disabled else send_segment


def send_segment(traced: TracedAttempt) -> None:
    """Record an attempt in the trace that its request ended in, if that is recorded."""
    context = TraceContext.of_traceparent(traced.notification.traceparent)
    if context is None or not context.is_sampled:
        return
    segment = Segment("webhooks", traceid=context.xray_trace_id, parent_id=context.parent_id)
    segment.start_time = traced.began_at.timestamp()
    segment.put_annotation("request_id", traced.notification.request_id)
    segment.put_annotation("verdict", traced.attempt.verdict.value)
    if traced.attempt.verdict not in _WENT_WELL:
        segment.add_error_flag()
    segment.close(traced.ended_at.timestamp())
    xray_recorder.emitter.send_entity(segment)
