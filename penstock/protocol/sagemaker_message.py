"""What SageMaker tells the topics of an endpoint when an invocation ends.

Names, order and which keys are absent when follow recorded messages; clients parse them.
"""

import base64
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from penstock.contracts.contract import Contract, UtcDatetime
from penstock.contracts.origin import SageMakerInvocation
from penstock.contracts.outcome import StoredObject
from penstock.contracts.queue_text import travelling_json
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.protocol.failure_documents import CANCELED

RESPONSE_BODY_LIMIT_BYTES = 128_000
"""SageMaker: 128 KB; in base64 that fits into a message of SNS."""


def _in_milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


_Moment = Annotated[UtcDatetime, PlainSerializer(_in_milliseconds)]


class _Part(Contract):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RequestParameters(_Part):
    """What the caller sent; what it left out is absent."""

    accept: str | None = None
    content_type: str | None = None
    custom_attributes: str | None = None
    endpoint_name: str
    input_location: str | None = None


class ResponseParameters(_Part):
    """Where the one object lies that there is."""

    content_type: str | None = None
    output_location: str | None = None
    failure_location: str | None = None


class ResponseBody(_Part):
    """The object itself, for endpoints that ask for it."""

    content: str
    message: str
    encoding: Literal["BASE64"] = "BASE64"


class SageMakerMessage(_Part):
    """One ended invocation."""

    aws_region: str
    event_time: _Moment
    received_time: _Moment
    invocation_status: Literal["Completed", "Failed"]
    failure_reason: str | None = None
    request_parameters: RequestParameters
    response_parameters: ResponseParameters
    response_body: ResponseBody | None = None
    inference_id: str
    event_version: Literal["1.0"] = "1.0"
    event_source: Literal["aws:sagemaker"] = "aws:sagemaker"
    event_name: Literal["InferenceResult"] = "InferenceResult"

    @classmethod
    def of(
        cls,
        request: AsyncRequest,
        invocation: SageMakerInvocation,
        stored: StoredObject,
        body: bytes | None,
        topic_arn: str,
    ) -> Self:
        """Return the message of an ended request whose result or failure document is `stored`."""
        succeeded = request.state is RequestState.SUCCEEDED
        response = ResponseParameters(failure_location=stored.uri)
        if succeeded:
            response = ResponseParameters(
                content_type=stored.content_type, output_location=stored.uri
            )
        return cls(
            aws_region=topic_arn.split(":")[3],
            event_time=request.status_at,
            received_time=request.created_at,
            invocation_status="Completed" if succeeded else "Failed",
            failure_reason=None if succeeded else _failure_reason(request, stored),
            request_parameters=RequestParameters(
                accept=invocation.accept,
                content_type=invocation.content_type,
                custom_attributes=invocation.custom_attributes,
                endpoint_name=invocation.endpoint_name,
                input_location=invocation.input_location,
            ),
            response_parameters=response,
            response_body=None if body is None else _response_body(body, stored),
            inference_id=invocation.inference_id,
        )

    def encoded(self) -> str:
        """Return the text to publish."""
        return travelling_json(self.model_dump_json(by_alias=True, exclude_none=True))


def _response_body(body: bytes, stored: StoredObject) -> ResponseBody:
    content = base64.b64encode(body).decode()
    return ResponseBody(content=content, message=f"The same lies at {stored.uri}.")


def _failure_reason(request: AsyncRequest, failure: StoredObject) -> str:
    """Return the reason in SageMaker's words; status 0 is a model that did not answer."""
    status = failure.http_status
    fault = request.faults[-1] if request.faults else None
    if status is None and request.state is RequestState.FAILED and fault and fault.code.is_retried:
        status = 0
    if status is None:
        return f"ClientError: {fault.message if fault else CANCELED}"
    side = "client" if 400 <= status < 500 else "server"  # noqa: PLR2004 - HTTP's class of client errors
    received = f"Received {side} error ({status}) from model."
    return f"ClientError: {received} See {failure.uri} for more information."
