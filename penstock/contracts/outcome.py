"""How a request ended: a stored object, or faults with the codes of the published API."""

from enum import StrEnum
from typing import Literal

from penstock.contracts.contract import Contract


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

    code: FaultCode
    message: str


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
