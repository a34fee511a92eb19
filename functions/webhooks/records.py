"""Queue records in, the ones that must stay out."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger

from functions.telemetry import Count
from functions.webhooks.service import WebhookService
from penstock.contracts.notification import Notification

Consume = Callable[[Mapping[str, Any]], dict[str, Any]]

_logger = Logger(service="webhooks")


def create_consumer(service: WebhookService, count: Count) -> Consume:
    """Return a function from an SQS event to its partial batch response."""

    def stays(record: Mapping[str, Any]) -> bool:
        receive_count = int(record["attributes"]["ApproximateReceiveCount"])
        try:
            notification = Notification.model_validate_json(record["body"])
            attempt = service.deliver(notification, record["receiptHandle"], receive_count)
        except Exception:  # one record must not take the others with it
            count("WebhooksUndecided")
            _logger.exception("webhook undecided", extra={"message_id": record["messageId"]})
            return True
        count(f"Webhooks{attempt.verdict.title()}")
        _logger.info(
            "webhook attempted",
            extra={
                "request_id": notification.request_id,
                "verdict": attempt.verdict,
                "reason": attempt.reason,
                "receive_count": receive_count,
            },
        )
        return attempt.verdict.keeps_message

    def consume(event: Mapping[str, Any]) -> dict[str, Any]:
        staying = [record["messageId"] for record in event["Records"] if stays(record)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in staying]}

    return consume
