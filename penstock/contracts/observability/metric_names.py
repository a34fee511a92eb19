"""The names of our metrics: who counts, and who draws and alarms, take them from here."""

from enum import StrEnum
from typing import Self


def metrics_namespace(stack: str) -> str:
    """Return where CloudWatch keeps a stack's metrics."""
    return f"Penstock/{stack}"


class FunctionMetric(StrEnum):
    """What functions count; the dimension `service` says which function."""

    CALLS = "Calls"
    CALLS_REFUSED = "CallsRefused"
    CALLS_FAILED = "CallsFailed"
    CALLERS_AUTHORIZED = "CallersAuthorized"
    CALLERS_REFUSED = "CallersRefused"
    REQUESTS_ACCEPTED = "RequestsAccepted"

    SWEEPS = "Sweeps"
    SWEEP_STEPS_FAILED = "SweepStepsFailed"
    ROWS_UNREADABLE = "RowsUnreadable"
    """Written by another version of Penstock; left to it."""

    REQUESTS_SWEPT_SUCCEEDED = "RequestsSweptSucceeded"
    """Ended before; only the announcement was missing."""

    REQUESTS_SWEPT_FAILED = "RequestsSweptFailed"
    REQUESTS_SWEPT_EXPIRED = "RequestsSweptExpired"
    REQUESTS_SWEPT_CANCELED = "RequestsSweptCanceled"

    WEBHOOKS_DELIVERED = "WebhooksDelivered"
    WEBHOOKS_OBSOLETE = "WebhooksObsolete"
    WEBHOOKS_DELAYED = "WebhooksDelayed"
    WEBHOOKS_DEFERRED = "WebhooksDeferred"
    WEBHOOKS_UNSIGNED = "WebhooksUnsigned"
    """Among those delayed: not sent, as there is no active signing secret."""

    WEBHOOKS_EXHAUSTED = "WebhooksExhausted"
    WEBHOOKS_GONE = "WebhooksGone"
    WEBHOOKS_FORBIDDEN = "WebhooksForbidden"
    WEBHOOKS_UNREADABLE = "WebhooksUnreadable"
    WEBHOOKS_UNDECIDED = "WebhooksUndecided"
    """AWS failed; the message comes again."""

    @classmethod
    def of_swept(cls, state: str) -> Self:
        """Return what the sweeper counts of a request that is in `state` afterwards."""
        return cls(f"RequestsSwept{state.title()}")

    @classmethod
    def of_webhook(cls, verdict: str) -> Self:
        """Return what is counted of a webhook by what became of it."""
        return cls(f"Webhooks{verdict.title()}")


class WorkerMetric(StrEnum):
    """What a dispatcher shows to Prometheus, labelled `model_id` and `deployment_id`."""

    TIME_IN_QUEUE = "penstock_time_in_async_queue_seconds"
    RECENT_TIME_IN_QUEUE = "penstock_recent_time_in_async_queue_seconds"
    """Percentiles of the last minutes, labelled `quantile`: CloudWatch makes none of the histogram
    above, whose buckets its exporter drops."""

    PREDICT = "penstock_predict_seconds"
    END_TO_END = "penstock_end_to_end_response_time_seconds"
    REQUEST_SIZE = "penstock_request_size_bytes"
    RESPONSE_SIZE = "penstock_response_size_bytes"
    ENDED = "penstock_inference_requests_total"
    """Labelled `state`."""

    FAILED_ATTEMPTS = "penstock_failed_attempts_total"
    """Labelled `code`."""

    IN_FLIGHT = "penstock_concurrent_requests"
    CLOCK_BEHIND = "penstock_clock_behind_seconds"
    """How far a worker's clock is behind AWS's; negative when it is ahead."""

    BATCH_SIZE = "penstock_batch_size"
    """Of deployments with batching."""
