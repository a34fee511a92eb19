"""What the worker needs of any model server."""

from dataclasses import dataclass
from typing import Protocol

from penstock.contracts.errors import PenstockError
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.request import RequestId


@dataclass(frozen=True)
class Answer:
    """What the model made."""

    body: bytes
    content_type: str


class ModelFaultError(PenstockError):
    """The attempt failed."""

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.fault = Fault(code=code, message=message)


class ModelBusyError(PenstockError):
    """The server did not take the request (not ready, overloaded); no attempt was made."""


class ModelServer(Protocol):
    """What the worker needs of a model server."""

    async def is_ready(self) -> bool:
        """Whether requests would be taken now.

        Raises:
            TimeoutError: the server runs and does not answer.
        """
        ...

    async def predict(
        self, request_id: RequestId, payload: bytes, content_type: str, timeout_seconds: float
    ) -> Answer:
        """Run the model once; cancelling the call closes the connection.

        Raises:
            ModelFaultError: the model failed, or did not answer in time.
            ModelBusyError: the server did not take the request.
        """
        ...
