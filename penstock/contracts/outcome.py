"""How a request ended: a stored object, or faults with the codes of the published API."""

import base64
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from penstock.contracts.contract import Contract, kept_if_unknown


class FaultCode(StrEnum):
    """Why an attempt failed (Baseten inference API, `errors[].code`)."""

    MODEL_NOT_READY = "MODEL_NOT_READY"
    MODEL_DOES_NOT_EXIST = "MODEL_DOES_NOT_EXIST"
    MODEL_INVALID_INPUT = "MODEL_INVALID_INPUT"
    MODEL_PREDICT_ERROR = "MODEL_PREDICT_ERROR"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    MODEL_PREDICT_TIMEOUT = "MODEL_PREDICT_TIMEOUT"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    ASYNC_REQUEST_NOT_SUPPORTED = "ASYNC_REQUEST_NOT_SUPPORTED"

    @property
    def is_retried(self) -> bool:
        """Whether another attempt may help (the table of the Baseten async guide)."""
        return self not in {
            FaultCode.MODEL_DOES_NOT_EXIST,
            FaultCode.MODEL_INVALID_INPUT,
            FaultCode.ASYNC_REQUEST_NOT_SUPPORTED,
        }


class Fault(Contract):
    """One reason why a request did not succeed."""

    code: Annotated[FaultCode, kept_if_unknown(FaultCode)]
    message: str


class ServerRefusal(Contract):
    """What a model server that was ready answered when it did not take a request (429 or 503)."""

    http_status: int
    content_type: str
    body_base64: str
    """The start of the body: `KEPT_BYTES` at most, because a row holds it."""

    times: Annotated[int, Field(ge=1)] = 1
    """How often in a row it was refused."""

    KEPT_BYTES: ClassVar[int] = 2_048

    @classmethod
    def of(cls, http_status: int, content_type: str, body: bytes, *, times: int = 1) -> Self:
        """Return what is kept of such an answer."""
        kept = base64.b64encode(body[: cls.KEPT_BYTES]).decode()
        return cls(
            http_status=http_status, content_type=content_type, body_base64=kept, times=times
        )

    @property
    def body(self) -> bytes:
        """What the server said, cut."""
        return base64.b64decode(self.body_base64)

    @property
    def fault(self) -> Fault:
        """Why a request fails whose time in the queue ended with this answer."""
        said = self.body.decode(errors="replace").strip()
        return Fault(
            code=FaultCode.MODEL_UNAVAILABLE,
            message="The model server did not take the request in its time in the queue; "
            f"it answered {self.http_status}: {said}",
        )

    @property
    def rest_seconds(self) -> float:
        """How long a request rests in the queue before the server is asked again."""
        return float(min(2 ** min(self.times, 16), 300))


class StoredObject(Contract):
    """Where bytes lie in S3 and what they are."""

    bucket: str
    key: str
    content_type: str = "application/json"
    size_bytes: int
    http_status: int | None = None
    """With what status the model server answered it, where it was the model server."""

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


class Succeeded(Contract):
    """The model answered and its answer is stored."""

    kind: Literal["succeeded"] = "succeeded"
    result: StoredObject


class Failed(Contract):
    """No further attempt will be made."""

    kind: Literal["failed"] = "failed"
    fault: Fault
    failure: StoredObject | None = None
    """The failure document in S3."""


class Canceled(Contract):
    """The caller asked a running request to stop, and it did."""

    kind: Literal["canceled"] = "canceled"


Outcome = Succeeded | Failed | Canceled
"""What a worker writes when it is done with a request."""
