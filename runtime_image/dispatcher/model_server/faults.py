"""What an answer that is none becomes; the codes follow the table of the Baseten async guide."""

from http import HTTPStatus

import aiohttp

from penstock.contracts.outcome import FaultCode
from penstock.protocol.failure_documents import ModelAnswer
from runtime_image.dispatcher.model_server.content_types import content_type_of
from runtime_image.dispatcher.model_server.server import ModelFaultError, ModelRefusedError

_KEPT_BYTES = 1024**2
"""How much of an error answer its caller gets to see."""

_MESSAGE_BYTES = 2_000

_NOT_TAKEN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

_CODE_OF_STATUS: dict[int, FaultCode] = {
    HTTPStatus.NOT_FOUND: FaultCode.MODEL_DOES_NOT_EXIST,
    HTTPStatus.REQUEST_TIMEOUT: FaultCode.MODEL_PREDICT_TIMEOUT,
    HTTPStatus.PRECONDITION_FAILED: FaultCode.MODEL_PREDICT_ERROR,  # Truss: the class is broken
    HTTPStatus.BAD_GATEWAY: FaultCode.MODEL_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: FaultCode.MODEL_PREDICT_TIMEOUT,
}


async def refusal(
    response: aiohttp.ClientResponse, *, is_of_container: bool
) -> ModelFaultError | ModelRefusedError:
    """Return what an error answer stands for: a fault, or that the request was not taken.

    Args:
        response: The answer, its body unread.
        is_of_container: Whether the caller chose the path, so 404 says nothing of the model.
    """
    return fault_of(
        response.status,
        await _start_of(response.content),
        content_type_of(response),
        is_of_container=is_of_container,
    )


def fault_of(
    status: int, body: bytes, content_type: str, *, is_of_container: bool = False
) -> ModelFaultError | ModelRefusedError:
    """Return what an error answer with such a status and body stands for."""
    answer = ModelAnswer(body=body, content_type=content_type, http_status=status)
    if status in _NOT_TAKEN:
        return ModelRefusedError(answer)
    text = body[:_MESSAGE_BYTES].decode(errors="replace").strip()
    return ModelFaultError(
        _code(status, is_of_container=is_of_container),
        f"The model server answered {status}: {text}",
        answer,
    )


def overrun(timeout_seconds: float) -> ModelFaultError:
    """Return the fault of a call that was not answered in time."""
    return ModelFaultError(
        FaultCode.MODEL_PREDICT_TIMEOUT, f"Prediction ran longer than {timeout_seconds:g} s."
    )


def breakdown(error: aiohttp.ClientError) -> ModelFaultError:
    """Return the fault of a call that ended without a whole answer."""
    if isinstance(error, (aiohttp.ServerConnectionError, aiohttp.ClientOSError)):
        return ModelFaultError(
            FaultCode.MODEL_UNAVAILABLE, "The model server closed the connection unanswered."
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return ModelFaultError(
            FaultCode.MODEL_UNAVAILABLE, "The model server broke off in its answer."
        )
    return ModelFaultError(
        FaultCode.MODEL_PREDICT_ERROR, f"The model server's answer is not HTTP: {error}"
    )


def _code(status: int, *, is_of_container: bool) -> FaultCode:
    if status == HTTPStatus.NOT_FOUND and is_of_container:
        return FaultCode.MODEL_INVALID_INPUT
    if known := _CODE_OF_STATUS.get(status):
        return known
    is_rejected = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return FaultCode.MODEL_INVALID_INPUT if is_rejected else FaultCode.MODEL_PREDICT_ERROR


async def _start_of(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    while len(body) < _KEPT_BYTES and (chunk := await stream.read(_KEPT_BYTES - len(body))):
        body += chunk
    return bytes(body)
