"""What is counted and logged of every accepted request, whatever its dialect."""

from aws_lambda_powertools import Logger

from functions.telemetry import Count
from penstock.contracts.observability.metric_names import FunctionMetric
from penstock.contracts.request import AsyncRequest
from penstock.contracts.submission import Submission

_logger = Logger(service="intake")


def record_acceptance(request: AsyncRequest, submission: Submission, count: Count) -> None:
    """Count and log one accepted request; payloads stay out of the log."""
    count(FunctionMetric.REQUESTS_ACCEPTED)
    _logger.info(
        "request accepted",
        extra={
            "request_id": request.request_id,
            "tenant": request.tenant,
            "deployment_id": request.deployment_id,
            "dialect": request.dialect,
            "priority": request.priority,
            "payload_bytes": len(submission.payload),
        },
    )
