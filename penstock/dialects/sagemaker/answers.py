"""Rendering an accepted invocation."""

from penstock.contracts.http.sagemaker import (
    FAILURE_LOCATION_HEADER,
    OUTPUT_LOCATION_HEADER,
    REQUEST_ID_HEADER,
    InvocationAccepted,
)
from penstock.contracts.request import AsyncRequest
from penstock.contracts.request_id import as_uuid


def accepted(request: AsyncRequest) -> tuple[InvocationAccepted, dict[str, str]]:
    """Return body and headers of the answer to an invocation."""
    if request.destination is None:
        raise AssertionError("an invocation was accepted without a place for its result")
    headers = {
        REQUEST_ID_HEADER: request.request_id,
        OUTPUT_LOCATION_HEADER: request.destination.result.uri,
        FAILURE_LOCATION_HEADER: request.destination.failure.uri,
    }
    return InvocationAccepted(InferenceId=request.caller_id or as_uuid(request.request_id)), headers
