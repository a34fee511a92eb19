"""What the worker needs of any model server."""

import os
from dataclasses import dataclass
from typing import Protocol

from penstock.contracts.errors import PenstockError
from penstock.contracts.origin import ContainerCall
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.ports.objects import Content
from penstock.contracts.request import RequestId
from penstock.protocol.failure_documents import ModelAnswer
from penstock.protocol.loading import Loaded


@dataclass(frozen=True)
class Answer:
    """What the model made; whoever asked for it closes it."""

    body: Content
    content_type: str
    http_status: int = 200

    @property
    def size_bytes(self) -> int:
        """How long the body is."""
        if isinstance(self.body, bytes):
            return len(self.body)
        return os.fstat(self.body.fileno()).st_size

    def close(self) -> None:
        """Let go of the file, if it is one; it has no name, so that is its end."""
        if not isinstance(self.body, bytes):
            self.body.close()


class ModelFaultError(PenstockError):
    """The attempt failed."""

    def __init__(self, code: FaultCode, message: str, answer: ModelAnswer | None = None) -> None:
        super().__init__(message)
        self.fault = Fault(code=code, message=message)
        self.answer = answer
        """What the server said, if it said anything."""

    @property
    def is_overrun(self) -> bool:
        """Whether the call was closed because its time was up; the server may work on."""
        return self.answer is None and self.fault.code is FaultCode.MODEL_PREDICT_TIMEOUT


class ModelBusyError(PenstockError):
    """The server takes no requests now (not ready, does not listen); no attempt was made."""


class ModelRefusedError(PenstockError):
    """The server answered that it does not take this request now; no attempt was made."""

    def __init__(self, answer: ModelAnswer, *, is_shared: bool = False) -> None:
        super().__init__(f"the model server answered {answer.http_status}")
        self.answer = answer
        self.is_shared = is_shared
        """Whether it was said to several requests at once."""


class ModelServer(Protocol):
    """What the worker needs of a model server."""

    async def is_ready(self) -> bool:
        """Whether requests would be taken now; no means that nobody listens: it is down.

        Raises:
            ModelBusyError: the server lives and takes none just now, as it says itself.
            TimeoutError: the server runs and does not answer.
        """
        ...

    async def predict(
        self,
        request_id: RequestId,
        payload: Loaded,
        call: ContainerCall | None,
        timeout_seconds: float,
    ) -> Answer:
        """Run the model once; cancelling the call closes the connection.

        A caller who speaks to the container itself says how in `call`.

        Raises:
            ModelFaultError: the model failed, or did not answer in time.
            ModelRefusedError: the server did not take the request, and said so.
            ModelBusyError: the server does not listen.
        """
        ...
