"""Queue records in, the ones that must stay out."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.telemetry import Count
from functions.webhooks.service import Attempt, Received, WebhookService
from penstock.contracts.notification import Notification
from penstock.contracts.observability.metric_names import FunctionMetric

Consume = Callable[[Mapping[str, Any]], dict[str, Any]]

_logger = Logger(service="webhooks")


def create_consumer(service: WebhookService, count: Count) -> Consume:
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
        _logger.info("webhook attempted", extra={**_known(record), **outcome})
        return attempt.verdict.keeps_message

    def consume(event: Mapping[str, Any]) -> dict[str, Any]:
        records = event["Records"]
        with ThreadPoolExecutor(max_workers=len(records)) as threads:
            attempts = list(threads.map(lambda record: _attempted(service, record), records))
        done = zip(records, attempts, strict=True)
        staying = [record["messageId"] for record, attempt in done if stays(record, attempt)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in staying]}

    return consume


def _attempted(service: WebhookService, record: Mapping[str, Any]) -> Attempt | None:
    """Return what was done about a record; `None` if that is not known."""
    try:
        notification = _notification(record)
        if notification is None:
            return service.bury(record["body"], "the message cannot be read")
        receive_count = int(record["attributes"]["ApproximateReceiveCount"])
        return service.deliver(Received(notification, record["receiptHandle"], receive_count))
    except Exception:  # one record must not take the others with it
        _logger.exception("webhook undecided", extra=_known(record))
        return None


def _notification(record: Mapping[str, Any]) -> Notification | None:
    try:
        return Notification.model_validate_json(record["body"])
    except ValidationError:
        return None


def _known(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be logged of a record."""
    notification = _notification(record)
    return {
        "request_id": notification.request_id if notification else None,
        "message_id": record["messageId"],
        "receive_count": int(record["attributes"]["ApproximateReceiveCount"]),
    }
