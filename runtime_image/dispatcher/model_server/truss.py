"""The real Truss server next door, over HTTP on localhost.

Codes and headers are those of `truss/templates/server` (see `X-BASETEN-ERROR-CODE` there); which
fault each becomes follows the table of the Baseten async guide.
"""

import asyncio
from http import HTTPStatus

import aiohttp

from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import RequestId
from runtime_image.dispatcher.model_server.server import Answer, ModelBusyError, ModelFaultError

_CHUNK_BYTES = 64 * 1024
_ERROR_TEXT_LIMIT = 2_000
_READY_SECONDS = 5.0
_FAULT_OF_STATUS = {
    HTTPStatus.NOT_FOUND: FaultCode.MODEL_DOES_NOT_EXIST,
    HTTPStatus.REQUEST_TIMEOUT: FaultCode.MODEL_PREDICT_TIMEOUT,
    HTTPStatus.PRECONDITION_FAILED: FaultCode.MODEL_PREDICT_ERROR,  # the model class is broken
    HTTPStatus.BAD_GATEWAY: FaultCode.MODEL_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: FaultCode.MODEL_PREDICT_TIMEOUT,
}


class TrussServer:
    """Preset `truss`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, max_result_bytes: int) -> None:
        self._predict_url = f"{url}/v1/models/model:predict"
        self._ready_url = f"{url}/v1/models/model"
        self._session = session
        self._max_result_bytes = max_result_bytes

    async def is_ready(self) -> bool:
        """Whether the model is loaded and healthy; see `ModelServer.is_ready`."""
        try:
            async with (
                asyncio.timeout(_READY_SECONDS),
                self._session.get(self._ready_url) as response,
            ):
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False

    async def predict(
        self, request_id: RequestId, payload: bytes, content_type: str, timeout_seconds: float
    ) -> Answer:
        """POST the payload; see `ModelServer.predict`."""
        headers = {
            "Content-Type": content_type,
            # A generator's output is then gathered into one JSON answer by the Truss server.
            "Accept": "application/json",
            REQUEST_ID_HEADER: request_id,
        }
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._post(payload, headers)
        except TimeoutError as error:
            raise ModelFaultError(
                FaultCode.MODEL_PREDICT_TIMEOUT,
                f"Prediction ran longer than {timeout_seconds:g} s.",
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise ModelBusyError("the model server does not listen") from error
        except (aiohttp.ServerConnectionError, aiohttp.ClientOSError) as error:
            raise ModelFaultError(
                FaultCode.MODEL_UNAVAILABLE, "The model server closed the connection unanswered."
            ) from error
        except aiohttp.ClientPayloadError as error:
            raise ModelFaultError(
                FaultCode.MODEL_UNAVAILABLE, "The model server broke off in its answer."
            ) from error
        except aiohttp.ClientError as error:
            raise ModelFaultError(
                FaultCode.MODEL_PREDICT_ERROR, f"The model server's answer is not HTTP: {error}"
            ) from error

    async def _post(self, payload: bytes, headers: dict[str, str]) -> Answer:
        async with self._session.post(self._predict_url, data=payload, headers=headers) as response:
            if response.status in {
                HTTPStatus.TOO_MANY_REQUESTS,
                HTTPStatus.SERVICE_UNAVAILABLE,
            }:
                raise ModelBusyError(f"the model server answered {response.status}")
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise await _fault(response)
            content_type = response.headers.get("Content-Type", "application/octet-stream")
            return Answer(await self._read(response), content_type)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_result_bytes:
                raise ModelFaultError(
                    FaultCode.MODEL_PREDICT_ERROR,
                    f"The model's answer is larger than {self._max_result_bytes} bytes.",
                )
        return bytes(body)


async def _fault(response: aiohttp.ClientResponse) -> ModelFaultError:
    text = (await response.content.read(_ERROR_TEXT_LIMIT)).decode(errors="replace").strip()
    status = response.status
    code = _FAULT_OF_STATUS.get(HTTPStatus(status)) if status in _STATUSES else None
    if code is None:
        rejected = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        code = FaultCode.MODEL_INVALID_INPUT if rejected else FaultCode.MODEL_PREDICT_ERROR
    return ModelFaultError(code, f"The model server answered {status}: {text}")


_STATUSES = {status.value for status in HTTPStatus}
