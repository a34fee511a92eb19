"""SageMaker's `InvokeEndpointAsync`, as far as names and ranges go.

Names, ranges and patterns are those of its published model (`sagemaker-runtime`, 2017-05-13).
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field

from penstock.contracts.contract import ClientInput, Contract

HEADER_PREFIX = "x-amzn-sagemaker-"
OUTPUT_LOCATION_HEADER = "X-Amzn-SageMaker-OutputLocation"
FAILURE_LOCATION_HEADER = "X-Amzn-SageMaker-FailureLocation"
REQUEST_ID_HEADER = "x-amzn-RequestId"
ERROR_TYPE_HEADER = "x-amzn-ErrorType"
MEMBER_HEADERS: Mapping[str, str] = {
    "contentType": "X-Amzn-SageMaker-Content-Type",
    "accept": "X-Amzn-SageMaker-Accept",
    "customAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "inferenceId": "X-Amzn-SageMaker-Inference-Id",
    "inputLocation": "X-Amzn-SageMaker-InputLocation",
    "s3OutputPathExtension": "X-Amzn-SageMaker-S3OutputPathExtension",
    "filename": "X-Amzn-SageMaker-Filename",
    "requestTTLSeconds": "X-Amzn-SageMaker-RequestTTLSeconds",
    "invocationTimeoutSeconds": "X-Amzn-SageMaker-InvocationTimeoutSeconds",
}
"""In which header each member travels; the endpoint's name is in the path, the body in the body."""

_Header = Annotated[str, Field(max_length=1_024, pattern=r"^[\t -~]*$")]


class InvokeEndpointAsync(ClientInput):
    """What a client sends, whatever header it came in."""

    # Two patterns look ahead, which pydantic's own engine cannot.
    model_config = ConfigDict(regex_engine="python-re")

    endpoint_name: Annotated[
        str, Field(alias="endpointName", max_length=63, pattern="^[a-zA-Z0-9](-*[a-zA-Z0-9])*$")
    ]
    content_type: _Header | None = Field(
        None,
        alias="contentType",
        description="Absent: that of the object in S3, else `application/octet-stream`.",
    )
    accept: _Header | None = Field(None, description="Handed on to the model server.")
    custom_attributes: _Header | None = Field(
        None, alias="customAttributes", description="Handed on to the model server."
    )
    inference_id: (
        Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~][ -~]*$")] | None
    ) = Field(
        None, alias="inferenceId", description="Absent: the request id, with the hyphens of a UUID."
    )
    input_location: (
        Annotated[
            str, Field(min_length=1, max_length=1_024, pattern="^(https|s3)://([^/]+)/?(.*)$")
        ]
        | None
    ) = Field(
        None,
        alias="inputLocation",
        description="Where the input lies in S3. Send either this or a body.",
    )
    output_path_extension: (
        Annotated[
            str,
            Field(min_length=1, max_length=512, pattern="^(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+$"),
        ]
        | None
    ) = Field(
        None, alias="s3OutputPathExtension", description="Appended to the place of the results."
    )
    file_name: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=32,
                pattern=r"^(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
            ),
        ]
        | None
    ) = Field(
        None,
        alias="filename",
        description="Of the result. Absent: `<request id>.out`, the id with hyphens.",
    )
    request_ttl_seconds: Annotated[int, Field(ge=60, le=21_600)] = Field(
        21_600, alias="requestTTLSeconds", description="Longest time in the queue."
    )
    invocation_timeout_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        900, alias="invocationTimeoutSeconds", description="Longest run of one attempt."
    )
    body: Annotated[bytes, Field(max_length=128_000)] = b""


class InvocationAccepted(Contract):
    """The request is stored and queued; where its objects will lie is said in headers."""

    InferenceId: str


class ServiceError(Contract):
    """Every answer that is not a success; its name is in the header `x-amzn-ErrorType`."""

    Message: str
