"""Bodies of the Baseten inference API, as far as it is asynchronous.

Field names, ranges and defaults are those of its published OpenAPI document
(`api.baseten.co/inference-spec`); what we added says so.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, WithJsonSchema

from penstock.contracts.contract import ClientInput, Contract, UtcDatetime
from penstock.contracts.outcome import Fault
from penstock.contracts.request import Priority, RequestId, RequestState, RetryPolicy, WebhookStatus

WEBHOOK_FAILED = "WEBHOOK_FAILED"
"""Status of a request that succeeded but whose webhook was never taken; the result stays."""


def _with_microseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


_StatusTime = Annotated[
    UtcDatetime,
    PlainSerializer(
        _with_microseconds,
        return_type=Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})],
        when_used="json",
    ),
]
"""Always six fractional digits and Z: clients compare these as text."""


class InferenceRetryConfig(ClientInput):
    """How often and when a failed inference is tried again."""

    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """Counts the first attempt."""

    initial_delay_ms: Annotated[int, Field(ge=0, le=10_000)] = 1_000
    max_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 5_000

    def policy(self) -> RetryPolicy:
        """Return the same settings in our own words."""
        return RetryPolicy(**self.model_dump())


class AsyncPredict(ClientInput):
    """What a client submits."""

    model_input: Any = Field(description="Any JSON; handed to the model as its input.")
    webhook_endpoint: str | None = Field(
        None, description="HTTPS URL that receives the result.", max_length=2_048
    )
    priority: Priority = 0
    max_time_in_queue_seconds: Annotated[int, Field(ge=10, le=259_200)] = 600
    inference_retry_config: InferenceRetryConfig | None = None
    predict_timeout_seconds: Annotated[float, Field(gt=0, le=41_400)] | None = Field(
        None,
        description="Longest run of one attempt; the deployment's own limit still applies."
        " An extension of Penstock.",
    )


class Accepted(Contract):
    """The request is stored and queued."""

    request_id: RequestId


class RequestStatus(Contract):
    """Where a request is."""

    request_id: RequestId
    model_id: str
    deployment_id: str
    status: str = Field(json_schema_extra={"enum": [*RequestState, WEBHOOK_FAILED]})
    webhook_status: WebhookStatus
    created_at: _StatusTime
    status_at: _StatusTime
    errors: tuple[Fault, ...]


class CancelAnswer(Contract):
    """What became of a wish to cancel."""

    request_id: RequestId
    canceled: bool
    message: str


class QueueStatus(Contract):
    """How much waits and runs."""

    model_id: str
    deployment_id: str
    num_queued_requests: int
    num_in_progress_requests: int


class ErrorBody(Contract):
    """Every answer that is not a success."""

    error: str
    error_code: str | None = None
    """`client_error`, `unauthorized`, `payload_too_large`, `rate_limited`, …"""


class WebhookBody(Contract):
    """What is POSTed to `webhook_endpoint`; the order of the keys is part of the contract.

    Receivers that parse the body and serialise it again must arrive at the very bytes that were
    signed: extra keys come last, and only where they say something.
    """

    request_id: RequestId
    model_id: str
    deployment_id: str
    type: str = "async_request_completed"
    time: UtcDatetime
    data: Any
    errors: tuple[Fault, ...]
    result_url: str | None = Field(
        None,
        description="Where the result can be fetched for some hours; only when `data` is null"
        " because the result is large or not JSON.",
    )

    def encoded(self) -> bytes:
        """Return the bytes to sign and to send."""
        absent = {"result_url"} if self.result_url is None else None
        return self.model_dump_json(exclude=absent).encode()
