"""Requests of SageMaker callers, with a place and topics of their own."""

from datetime import datetime
from typing import Any

from penstock.contracts.origin import Dialect, Location, SageMakerInvocation
from penstock.contracts.request import AsyncRequest, RetryPolicy, Tenant
from penstock.contracts.submission import OutputPlace, Submission

SUCCESS_TOPIC = "arn:aws:sns:eu-central-1:123456789012:completed"
ERROR_TOPIC = "arn:aws:sns:eu-central-1:123456789012:broken"
INVOCATION = SageMakerInvocation(
    endpoint_name="ocr",
    inference_id="id-1",
    success_topic=SUCCESS_TOPIC,
    error_topic=ERROR_TOPIC,
)


def a_call(dialect: Dialect = Dialect.SAGEMAKER, **changes: Any) -> Submission:
    """Return a submission; one of SageMaker is promised a place and topics."""
    promises: dict[str, Any] = {}
    if dialect is Dialect.SAGEMAKER:
        promises["output"] = OutputPlace(
            result_folder=Location(bucket="callers", key="results"),
            failure_folder=Location(bucket="callers", key="failures"),
        )
        promises["invocation"] = INVOCATION
    retry = RetryPolicy(initial_delay_ms=0, retries_answers=dialect is Dialect.BASETEN)
    submission = Submission(tenant=Tenant("acme"), dialect=dialect, payload=b"1", retry=retry)
    return submission.model_copy(update=promises | changes)


def a_row(now: datetime, dialect: Dialect = Dialect.SAGEMAKER, **changes: Any) -> AsyncRequest:
    """Return the row of such a call."""
    return a_call(dialect).accepted("ocr", "ocr-1", now).model_copy(update=changes)
