"""The id by which callers know their requests."""

import re

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.request import AsyncRequest, RequestId, Tenant
from penstock.contracts.request_id import repeated_request_id
from penstock.dialects.http_call import HttpCall

INFERENCE_ID_HEADER = "X-Inference-Id"
GRAMMAR = "[A-Za-z0-9._:-]{1,128}"


def read_inference_id(call: HttpCall) -> str | None:
    """Return the caller's id.

    Raises:
        InvalidSubmissionError: it cannot be one.
    """
    inference_id = call.headers.get(INFERENCE_ID_HEADER.lower())
    if inference_id is not None and not re.fullmatch(GRAMMAR, inference_id):
        raise InvalidSubmissionError(INFERENCE_ID_HEADER, f"must match {GRAMMAR}")
    return inference_id


def need_inference_id(call: HttpCall) -> str:
    """Return the id of the request that a call is about.

    Raises:
        InvalidSubmissionError: it is missing, or cannot be one.
    """
    if (inference_id := read_inference_id(call)) is None:
        raise InvalidSubmissionError(INFERENCE_ID_HEADER, "is missing; it says which request")
    return inference_id


def idempotency_key(call: HttpCall, inference_id: str) -> str:
    """Return what makes a repeated id mean the same request.

    An id belongs to the deployment by the name in the URL: the pointer of a model may move
    between a call and its repeat.
    """
    return f"datacrunch:{call.path_parameters['deployment']}:{inference_id}"


def derived_request_id(call: HttpCall, model_id: str, inference_id: str) -> RequestId:
    """Return the request id that an id chosen by the caller leads to at a model."""
    key = idempotency_key(call, inference_id)
    return repeated_request_id(model_id, Tenant(call.tenant), key)


def shown_id(request: AsyncRequest) -> str:
    """Return the id that the caller is told."""
    return request.caller_id or request.request_id
