"""Queue records in, the ones that must stay out."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from functions.telemetry import Count
from functions.webhooks.service import Attempt, Received, WebhookService
from penstock.contracts.notification import Notification

Consume = Callable[[Mapping[str, Any]], dict[str, Any]]

_logger = Logger(service="webhooks")


def create_consumer(service: WebhookService, count: Count) -> Consume:
    """Return a function from an SQS event to its partial batch response.

    The webhooks of a batch are sent at the same time, each in a thread: a batch takes as long as
    its slowest receiver, which the sender bounds.
    """

    def attempted(record: Mapping[str, Any]) -> tuple[Attempt | None, dict[str, Any]]:
        """Return what was done, `None` if that is not known, and what to log of it."""
        receive_count = int(record["attributes"]["ApproximateReceiveCount"])
        known = {"message_id": record["messageId"], "receive_count": receive_count}
        try:
            notification = Notification.model_validate_json(record["body"])
        except ValidationError:
            notification = None
        try:
            if notification is None:
                return service.bury(record["body"], "the message cannot be read"), known
            known["request_id"] = notification.request_id
            received = Received(notification, record["receiptHandle"], receive_count)
            return service.deliver(received), known
        except Exception:  # one record must not take the others with it
            _logger.exception("webhook undecided", extra=known)
            return None, known

    def stays(attempt: Attempt | None, known: dict[str, Any]) -> bool:
        if attempt is None:
            count("WebhooksUndecided")
            return True
        count(f"Webhooks{attempt.verdict.title()}")
        outcome = {"verdict": attempt.verdict, "reason": attempt.reason}
        _logger.info("webhook attempted", extra={**known, **outcome})
        return attempt.verdict.keeps_message

    def consume(event: Mapping[str, Any]) -> dict[str, Any]:
        records = event["Records"]
        with ThreadPoolExecutor(max_workers=len(records)) as threads:
            done = list(threads.map(attempted, records))
        staying = [known["message_id"] for attempt, known in done if stays(attempt, known)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in staying]}

    return consume
