"""Bodies of the Baseten inference API, as far as it is asynchronous.

Field names, ranges and defaults are those of its published OpenAPI document
(`api.baseten.co/inference-spec`); what we added says so.
"""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from penstock.contracts.contract import ClientInput, Contract, UtcDatetime, kept_if_unknown
from penstock.contracts.outcome import Fault
from penstock.contracts.request import Priority, RequestId, RequestState, RetryPolicy, WebhookStatus

WEBHOOK_FAILED = "WEBHOOK_FAILED"
"""Status of a request that succeeded but whose webhook was never taken; the result stays."""


def _with_microseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


StatusTime = Annotated[
    UtcDatetime,
    PlainSerializer(
        _with_microseconds,
        return_type=Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})],
        when_used="json",
    ),
]
"""Always six fractional digits and Z: clients compare these as text."""


ContentType = Annotated[str, Field(max_length=255, pattern=r"^[!-~]+/[!-~][ -~]*$")]


def _number(value: object) -> object:
    # Python takes truth values and digits in quotes for numbers; JSON does not.
    if isinstance(value, bool | str):
        raise PydanticCustomError("number_type", "Input should be a number")
    return value


Number = BeforeValidator(_number)


class SparseBody(Contract):
    """A body that leaves out the keys that have no value."""

    @model_serializer(mode="wrap")
    # Without a return type, which would replace the fields in the JSON schema.
    def _without_absent(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as said
        return {name: value for name, value in handler(self).items() if value is not None}


class InferenceRetryConfig(ClientInput):
    """How often and when a failed inference is tried again."""

    max_attempts: Annotated[int, Field(ge=1, le=10), Number] = 3
    """Counts the first attempt."""

    initial_delay_ms: Annotated[int, Field(ge=0, le=10_000), Number] = 1_000
    max_delay_ms: Annotated[int, Field(ge=0, le=60_000), Number] = 5_000

    def policy(self) -> RetryPolicy:
        """Return the same settings in our own words."""
        return RetryPolicy(**self.model_dump())


_ONE_INPUT: dict[str, JsonValue] = {
    "oneOf": [{"required": ["model_input"]}, {"required": ["model_input_location"]}]
}


class AsyncPredict(ClientInput):
    """What a client submits."""

    model_config = ConfigDict(json_schema_extra=_ONE_INPUT)

    model_input: Any = Field(None, description="Any JSON; handed to the model as its input.")
    model_input_location: str | None = Field(
        None,
        description="Instead of `model_input`: `s3://bucket/key`, an upload of yours or in a bucket"
        " that the deployment allows. An extension of Penstock.",
        max_length=2_048,
    )
    model_input_content_type: ContentType | None = Field(
        None,
        description="What lies at `model_input_location`; the object's own type by default."
        " An extension of Penstock.",
    )
    webhook_endpoint: str | None = Field(
        None, description="HTTPS URL that receives the result.", max_length=2_048
    )
    priority: Annotated[Priority, Number] = 0
    max_time_in_queue_seconds: Annotated[int, Field(ge=10, le=259_200), Number] = 600
    inference_retry_config: InferenceRetryConfig | None = None
    predict_timeout_seconds: Annotated[float, Field(gt=0, le=41_400), Number] | None = Field(
        None,
        description="Longest run of one attempt; the deployment's own limit still applies."
        " An extension of Penstock.",
    )

    @model_validator(mode="after")
    def _has_one_input(self) -> Self:
        if self.model_input_location is not None and "model_input" in self.model_fields_set:
            raise PydanticCustomError(
                "one_input", "give model_input or model_input_location, not both"
            )
        if self.model_input_location is None and "model_input" not in self.model_fields_set:
            raise PydanticCustomError("missing", "model_input: Field required")
        if self.model_input_location is None and self.model_input_content_type is not None:
            raise PydanticCustomError(
                "content_type", "model_input_content_type: goes with model_input_location alone"
            )
        return self


class Accepted(Contract):
    """The request is stored and queued."""

    request_id: RequestId


class RequestStatus(SparseBody):
    """Where a request is."""

    request_id: RequestId
    model_id: str | None = None
    """Absent where `chain_id` is present."""

    chain_id: str | None = None
    """The chain through which it was submitted."""

    deployment_id: str
    status: str = Field(json_schema_extra={"enum": [*RequestState, WEBHOOK_FAILED]})
    webhook_status: Annotated[WebhookStatus, kept_if_unknown(WebhookStatus)]
    created_at: StatusTime
    status_at: StatusTime
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


class ErrorBody(SparseBody):
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
