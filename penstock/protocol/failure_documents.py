"""What lies in S3 for a request that did not succeed, as its dialect's clients read it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.contracts.json_text import is_json_text
from penstock.contracts.origin import Dialect, Location
from penstock.contracts.outcome import Fault, StoredObject
from penstock.contracts.request import AsyncRequest, RequestState

_JSON = "application/json"
CANCELED = "cancelled by the caller"


@dataclass(frozen=True)
class ModelAnswer:
    """What the model server itself answered in place of a result; `body` may be cut short."""

    body: bytes
    content_type: str
    http_status: int


@dataclass(frozen=True)
class FailureDocument:
    """The content of a failure document."""

    body: bytes
    content_type: str = _JSON
    http_status: int | None = None

    def at(self, place: Location) -> StoredObject:
        """Return the object that it makes there."""
        return StoredObject(
            bucket=place.bucket,
            key=place.key,
            content_type=self.content_type,
            size_bytes=len(self.body),
            http_status=self.http_status,
        )


def failure_document(
    request: AsyncRequest, fault: Fault, answer: ModelAnswer | None = None
) -> FailureDocument:
    """Return the document of a request that failed; `answer` is what the model server said."""
    answer = answer or _refusal_of(request, fault)
    if request.dialect is Dialect.BASETEN or answer is None:
        return _of_platform(request, fault.message, [fault])
    if request.dialect is Dialect.DATACRUNCH or is_json_text(answer.body):
        return FailureDocument(answer.body, answer.content_type, answer.http_status)
    # The SageMaker SDK reads the document with the deserializer of results, which may be JSON's.
    message = answer.body.decode(errors="replace").strip() or fault.message
    wrapped = _of_platform(request, message, [fault])
    return FailureDocument(wrapped.body, http_status=answer.http_status)


def document_of_end(request: AsyncRequest) -> FailureDocument:
    """Return the document of a request that ended without a result, as its row alone tells it."""
    if request.state is RequestState.CANCELED:
        return _of_platform(request, CANCELED, [])
    return failure_document(request, request.faults[-1])


def _refusal_of(request: AsyncRequest, fault: Fault) -> ModelAnswer | None:
    """Return what the row has kept of the model server's answer, if that is why it failed."""
    refusal = request.refusal
    if refusal is None or refusal.fault != fault:
        return None
    return ModelAnswer(refusal.body, refusal.content_type, refusal.http_status)


def _of_platform(request: AsyncRequest, message: str, faults: Sequence[Fault]) -> FailureDocument:
    errors = [fault.model_dump(mode="json") for fault in faults]
    document: dict[str, Any]
    match request.dialect:
        case Dialect.BASETEN:
            document = {
                "request_id": request.request_id,
                "model_id": request.model_id,
                "deployment_id": request.deployment_id,
                "errors": errors,
            }
        case Dialect.SAGEMAKER:
            document = {"message": message, "errors": errors, "request_id": request.request_id}
        case _:  # DataCrunch's, and those that only a newer version knows
            document = {"error": message}
    return FailureDocument(json.dumps(document).encode())
