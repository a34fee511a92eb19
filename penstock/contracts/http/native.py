"""Bodies of what Penstock serves beyond the Baseten inference API."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from penstock.contracts.contract import ClientInput, Contract
from penstock.contracts.http.baseten import AsyncPredict, ContentType, RequestStatus, SparseBody
from penstock.contracts.request import RequestId

IDEMPOTENCY_KEY_LENGTH = 255
MOST_IN_BATCH = 1_000
"""Requests in one call; a file in S3 may hold more."""

MOST_LINES = 10_000
MOST_ASKED = 100
"""Requests whose status one call answers."""

MOST_LISTED = 100
LONGEST_WAIT_SECONDS = 20
"""How long one question for a status may wait for the end."""

_ONE_SOURCE: dict[str, JsonValue] = {
    "oneOf": [{"required": ["requests"]}, {"required": ["input_location"]}]
}
_AskedId = Annotated[str, Field(min_length=1, max_length=255)]


class UploadRequest(ClientInput):
    """What a caller is about to upload."""

    content_type: ContentType = "application/octet-stream"


class UploadPlace(Contract):
    """Where to send the bytes of an upload, and how to name them afterwards."""

    url: str
    method: str
    headers: dict[str, str]
    """To be sent along with the bytes."""

    location: str
    """`s3://bucket/key`: the `model_input_location` of a submission."""

    expires_in_seconds: int


class StatusQuestion(ClientInput):
    """Whose status is asked for."""

    request_ids: Annotated[list[_AskedId], Field(min_length=1, max_length=MOST_ASKED)]


class StatusAnswers(SparseBody):
    """Where requests are."""

    requests: tuple[RequestStatus, ...]
    """In the order of the question, each once."""

    missing: tuple[str, ...]
    """Ids of no request of this caller."""


class RequestList(SparseBody):
    """Some of a deployment's requests, the newest first."""

    requests: tuple[RequestStatus, ...]
    next: str | None = None
    """To be given as `next` for those before; absent: there are none. A list may be empty and yet
    have one, when few requests pass the filters."""


class BatchItem(AsyncPredict):
    """One request of a batch."""

    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=IDEMPOTENCY_KEY_LENGTH,
        description="A repeat with the same key and the same submission starts nothing new.",
    )


class BatchSubmission(ClientInput):
    """Many requests, in the call itself or as JSON lines in S3."""

    model_config = ConfigDict(json_schema_extra=_ONE_SOURCE)

    requests: Annotated[list[Any], Field(min_length=1, max_length=MOST_IN_BATCH)] | None = Field(
        None,
        description="Each as `BatchItem`; one that is not is refused alone.",
    )
    input_location: str | None = Field(
        None,
        description=f"`s3://bucket/key` of JSON lines, each a `BatchItem`, at most {MOST_LINES:,}.",
        max_length=2_048,
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.requests is None) == (self.input_location is None):
            raise PydanticCustomError("one_source", "give either requests or input_location")
        return self


class BatchEntry(SparseBody):
    """What became of one item: accepted with an id, or refused with a reason."""

    index: int
    """Its place in the batch, from 0; in a file the number of its line, from 0."""

    request_id: RequestId | None = None
    error: str | None = None
    error_code: str | None = None
    """As in a refused call; `rate_limited` and `model_unavailable` may be sent again."""


class BatchAnswer(SparseBody):
    """What became of a batch."""

    accepted: int
    refused: int
    requests: tuple[BatchEntry, ...]
