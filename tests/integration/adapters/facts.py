"""What the contract tests talk about."""

from datetime import datetime, timedelta
from typing import Any

from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.outcome import Fault, FaultCode, StoredObject
from penstock.contracts.request import AsyncRequest, RequestId, RetryPolicy, Tenant, WebhookStatus
from penstock.contracts.submission import Submission

REQUEST_ID = RequestId("0123456789abcdef0123456789abcdef")
UNKNOWN_ID = RequestId("f" * 32)
SIGNING_SECRETS = ["newest", "older"]
REQUESTS_PER_SECOND = 3
NO_BUCKET = "nobodys-bucket"
NO_TOPIC = "arn:aws:sns:eu-central-1:123456789012:nobodys"

A_RESULT = StoredObject(
    bucket="results", key=f"results/{REQUEST_ID}", content_type="image/png", size_bytes=12
)
A_FAILURE = StoredObject(bucket="results", key=f"failures/{REQUEST_ID}", size_bytes=34)
PREDICT_ERROR = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="the model raised")
TIMEOUT = Fault(code=FaultCode.MODEL_PREDICT_TIMEOUT, message="the model took too long")

A_MODEL = Model(
    model_id="ocr",
    environments={"production": "v1"},
    deployments={
        "v1": Deployment(
            model_id="ocr",
            deployment_id="v1",
            queue_urls=("https://p0", "https://p1", "https://p2"),
            dead_letter_queue_url="https://dead",
        )
    },
)
A_CHAIN = A_MODEL.model_copy(update={"model_id": "chain:pages", "chain_id": "pages"})


def a_request(now: datetime, **changes: Any) -> AsyncRequest:
    """Return a row that waits for ten minutes, may be tried three times and wants a webhook."""
    submission = Submission(
        tenant=Tenant("acme"),
        payload=b"{}",
        max_time_in_queue_seconds=600,
        retry=RetryPolicy(max_attempts=3),
        webhook_endpoint="https://caller.example/hook",
    )
    accepted = submission.accepted("ocr", "v1", now)
    # DynamoDB purges by whole seconds; every other time keeps its microseconds.
    purge_at = accepted.purge_at.replace(microsecond=0)
    fixed = {"request_id": REQUEST_ID, "purge_at": purge_at}
    return accepted.model_copy(update=fixed | changes)


def without_webhook(now: datetime) -> AsyncRequest:
    """Return a row whose caller wants no webhook."""
    return a_request(now, webhook_endpoint=None, webhook_status=WebhookStatus.NO_WEBHOOK_PROVIDED)


def at(start: datetime, seconds: float) -> datetime:
    """Return the moment so many seconds after `start`."""
    return start + timedelta(seconds=seconds)
