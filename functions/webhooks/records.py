"""Queue records in, the ones that must stay out."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.telemetry import Count
from functions.webhooks.service import Attempt, Received, Verdict, WebhookService
from functions.webhooks.traces import TraceAttempt, TracedAttempt, trace_nothing
from penstock.contracts.notification import Notification
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.observability.trace_context import TraceContext

Consume = Callable[[Mapping[str, Any]], dict[str, Any]]

_logger = Logger(service="webhooks")


def create_consumer(
    service: WebhookService, count: Count, trace: TraceAttempt = trace_nothing
) -> Consume:
    """Return a function from an SQS event to its partial batch response.

    The webhooks of a batch are sent at the same time, each in a thread: a batch takes as long as
    its slowest receiver, which the sender bounds.
    """

    def stays(record: Mapping[str, Any], attempt: Attempt | None) -> bool:
        if attempt is None:
            count(FunctionMetric.WEBHOOKS_UNDECIDED)
            return True
        count(FunctionMetric.of_webhook(attempt.verdict))
        outcome = {"verdict": attempt.verdict, "reason": attempt.reason}
        tell = _logger.info
        if attempt.verdict is Verdict.UNSIGNED:
            # No webhook goes out at all: somebody must act. The alarm looks at those delayed.
            count(FunctionMetric.WEBHOOKS_DELAYED)
            tell = _logger.error
        tell("webhook attempted", extra={**_known(record), **outcome})
        return attempt.verdict.keeps_message

    def consume(event: Mapping[str, Any]) -> dict[str, Any]:
        records = event["Records"]
        with ThreadPoolExecutor(max_workers=len(records)) as threads:
            attempts = list(threads.map(lambda record: _attempted(service, record, trace), records))
        done = zip(records, attempts, strict=True)
        staying = [record["messageId"] for record, attempt in done if stays(record, attempt)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in staying]}

    return consume


def _attempted(
    service: WebhookService, record: Mapping[str, Any], trace: TraceAttempt
) -> Attempt | None:
    """Return what was done about a record; `None` if that is not known."""
    try:
        notification = _notification(record)
        if notification is None:
            return service.bury(record["body"], "the message cannot be read")
        receive_count = int(record["attributes"]["ApproximateReceiveCount"])
        began_at = service.clock()
        attempt = service.deliver(Received(notification, record["receiptHandle"], receive_count))
        ended_at = service.clock()
    except Exception:  # one record must not take the others with it
        _logger.exception("webhook undecided", extra=_known(record))
        return None
    traced = TracedAttempt(
        notification=notification, attempt=attempt, began_at=began_at, ended_at=ended_at
    )
    try:
        trace(traced)
    except Exception:  # what was done is done, whether it can be traced or not
        _logger.exception("webhook not traced", extra=_known(record))
    return attempt


def _notification(record: Mapping[str, Any]) -> Notification | None:
    try:
        return Notification.model_validate_json(record["body"])
    except ValidationError:
        return None


def _known(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be logged of a record."""
    notification = _notification(record)
    context = TraceContext.of_traceparent(notification.traceparent) if notification else None
    return {
        "request_id": notification.request_id if notification else None,
        # `xray_trace_id` is the batch's own.
        "request_trace_id": context.xray_trace_id if context else None,
        "message_id": record["messageId"],
        "receive_count": int(record["attributes"]["ApproximateReceiveCount"]),
    }
