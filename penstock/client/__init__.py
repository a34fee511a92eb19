"""The Python SDK: submit requests, follow them, fetch results, verify webhooks."""

from penstock.client.answers import ResultBody, has_ended, has_result
from penstock.client.async_client import AsyncClient, AsyncHandle
from penstock.client.calls.baseten import SubmitOptions
from penstock.client.calls.batches import may_be_sent_again
from penstock.client.calls.native import ListOptions
from penstock.client.client import Client, Handle
from penstock.client.errors import (
    ApiUnreachableError,
    BadRequestError,
    ClientError,
    ConflictError,
    NotAuthorizedError,
    NotConfiguredError,
    NotFoundError,
    PenstockApiError,
    RateLimitedError,
    RequestFailedError,
    ServiceError,
    TooLargeError,
    WaitTimeoutError,
    WebhookVerificationError,
)
from penstock.client.following import watch, watch_many
from penstock.client.webhooks import verify_webhook
from penstock.contracts.http.baseten import (
    CancelAnswer,
    InferenceRetryConfig,
    QueueStatus,
    RequestStatus,
    WebhookBody,
)
from penstock.contracts.http.native import BatchEntry

__all__ = [
    "ApiUnreachableError",
    "AsyncClient",
    "AsyncHandle",
    "BadRequestError",
    "BatchEntry",
    "CancelAnswer",
    "Client",
    "ClientError",
    "ConflictError",
    "Handle",
    "InferenceRetryConfig",
    "ListOptions",
    "NotAuthorizedError",
    "NotConfiguredError",
    "NotFoundError",
    "PenstockApiError",
    "QueueStatus",
    "RateLimitedError",
    "RequestFailedError",
    "RequestStatus",
    "ResultBody",
    "ServiceError",
    "SubmitOptions",
    "TooLargeError",
    "WaitTimeoutError",
    "WebhookBody",
    "WebhookVerificationError",
    "has_ended",
    "has_result",
    "may_be_sent_again",
    "verify_webhook",
    "watch",
    "watch_many",
]
