"""Rendering a row in DataCrunch's words."""

from http import HTTPStatus
from typing import Literal

from pydantic.alias_generators import to_pascal

from penstock.contracts.contract import Contract
from penstock.contracts.outcome import FaultCode
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.dialects.datacrunch.inference_id import INFERENCE_ID_HEADER, shown_id
from penstock.dialects.http_call import HttpCall

Status = Literal["Initialized", "Queue", "Inference", "Completed"]
"""All that the vendor's SDK can parse: a failure is `Completed` with an error."""

_JSON = "application/json"
_EXECUTE_API = ".execute-api."


class _Answer(Contract, alias_generator=to_pascal, populate_by_name=True, serialize_by_alias=True):
    """Keys are capitalised."""


class Envelope(_Answer):
    """A request was accepted, and where to ask for it, relative to the URL of the deployments."""

    id: str
    status_path: str
    result_path: str


class StatusAnswer(_Answer):
    """Where a request is."""

    id: str
    status: Status
    error: str | None
    """Why there is no result."""


def envelope(request: AsyncRequest, call: HttpCall) -> Envelope:
    """Return the answer to a call that is worked on later."""
    name = call.path_parameters["deployment"]
    return Envelope(
        id=shown_id(request), status_path=f"/status/{name}", result_path=f"/result/{name}"
    )


def envelope_headers(request: AsyncRequest, call: HttpCall) -> dict[str, str]:
    """Return the headers of that answer."""
    return {
        INFERENCE_ID_HEADER: shown_id(request),
        "Location": _result_location(call),
    }


def status_answer(request: AsyncRequest, inference_id: str) -> StatusAnswer:
    """Return the answer to a question for the request that the caller calls `inference_id`."""
    return StatusAnswer(id=inference_id, status=_status(request), error=error_text(request))


def error_text(request: AsyncRequest) -> str | None:
    """Return why a request ended without a result, or `None` if it did not."""
    if not request.state.is_terminal or request.state is RequestState.SUCCEEDED:
        return None
    if request.state is RequestState.CANCELED:
        return "the request was canceled"
    if not request.faults:
        return f"the request {request.state.lower()}"
    return "; ".join(f"{fault.code}: {fault.message}" for fault in request.faults)


def failure_status(request: AsyncRequest) -> HTTPStatus:
    """Return the HTTP status of a request that ended without an answer of the container."""
    if request.state is RequestState.CANCELED:
        return HTTPStatus.GONE
    has_timed_out = request.state is RequestState.EXPIRED or any(
        fault.code is FaultCode.MODEL_PREDICT_TIMEOUT for fault in request.faults[-1:]
    )
    return HTTPStatus.GATEWAY_TIMEOUT if has_timed_out else HTTPStatus.BAD_GATEWAY


def result_type(content_type: str) -> str:
    """Return a result's content type as it is answered where results are asked for.

    The vendor's SDK parses JSON of exactly this type; anything else it wraps as text.
    """
    return _JSON if content_type.partition(";")[0].strip().lower() == _JSON else content_type


def _status(request: AsyncRequest) -> Status:
    if request.state.is_terminal:
        return "Completed"
    # A retry that waits was in inference before, and a status never goes back.
    return "Inference" if request.was_claimed else "Queue"


def _result_location(call: HttpCall) -> str:
    """Return the path of the result, with whatever the caller wrote in front of it."""
    # Only the API's own host name has the stage in the path.
    shows_stage = any(_EXECUTE_API in host for host in call.hosts)
    written = call.paths[0 if shows_stage else -1]
    front = written.partition("/containers/")[0]
    return f"{front}/containers/result/{call.path_parameters['deployment']}"
