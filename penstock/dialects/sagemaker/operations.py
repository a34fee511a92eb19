"""What the API's document says of this dialect."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.contracts.http.sagemaker import (
    ERROR_TYPE_HEADER,
    FAILURE_LOCATION_HEADER,
    MEMBER_HEADERS,
    OUTPUT_LOCATION_HEADER,
    REQUEST_ID_HEADER,
    InvocationAccepted,
    InvokeEndpointAsync,
    ServiceError,
)
from penstock.dialects.operation import (
    ANY_TYPE,
    Answer,
    Body,
    DialectDescription,
    Failure,
    OperationDescription,
)
from penstock.dialects.sagemaker.submission import INVOCATION_ID_HEADER


def _member_parameters() -> Iterator[Mapping[str, Any]]:
    properties = InvokeEndpointAsync.model_json_schema()["properties"]
    for member, header in MEMBER_HEADERS.items():
        described = properties[member]
        # What may be absent from a call is not null in it.
        (schema,) = (
            each for each in described.get("anyOf", [described]) if each.get("type") != "null"
        )
        kept = {name: value for name, value in schema.items() if name not in _SAID_ELSEWHERE}
        yield {
            "name": header,
            "in": "header",
            "description": described["description"],
            "schema": kept,
        }


_SAID_ELSEWHERE = {"title", "description"}

OPERATIONS: Mapping[str, OperationDescription] = {
    "sagemaker_invoke_async": OperationDescription(
        summary="Invoke an endpoint (SageMaker)",
        description=(
            "`InvokeEndpointAsync` of Amazon SageMaker: stores and queues a request and answers "
            "at once. Result or failure document will lie in S3, and a notification goes to SNS. "
            "Also takes the keys of the other operations, as `Bearer` or `Api-Key`."
        ),
        body=Body(content_types=(ANY_TYPE,), is_required=False),
        parameters=(
            *_member_parameters(),
            {
                "name": INVOCATION_ID_HEADER,
                "in": "header",
                "description": (
                    "Sent by the AWS SDKs. A repeat with the same id under the same key answers "
                    "as the first and starts nothing new."
                ),
                "schema": {"type": "string"},
            },
        ),
        successes={
            202: Answer(
                description="The request is stored and queued.",
                body=Body(model=InvocationAccepted, example={"InferenceId": "invoice-7"}),
                headers={
                    OUTPUT_LOCATION_HEADER: "Where the result will lie, if there is one.",
                    FAILURE_LOCATION_HEADER: "Where the failure document will lie otherwise.",
                    REQUEST_ID_HEADER: "The request id, or one of the gateway's own.",
                },
            ),
        },
        errors=(400,),
    )
}


def _failure(name: str, description: str, *, is_everywhere: bool = True) -> Failure:
    return Failure(
        name=name,
        description=description,
        body=Body(model=ServiceError, example={"Message": description}),
        headers={ERROR_TYPE_HEADER: "The error's name."},
        is_everywhere=is_everywhere,
    )


FAILURES: Mapping[int, Failure] = {
    400: _failure(
        "ValidationError",
        "A member breaks its constraint, there is not exactly one input, or no such endpoint.",
        is_everywhere=False,
    ),
    403: _failure("Refused", "The key or the signature is missing or wrong."),
    429: _failure("ThrottlingException", "Too many calls; send the same call again later."),
    500: _failure("InternalFailure", "Our fault."),
    503: _failure("ServiceUnavailable", "Send the same call again."),
}

DESCRIPTION = DialectDescription(
    operations=OPERATIONS,
    failures=FAILURES,
    path_parameters={
        "endpoint_name": "A model, `<model>-<environment>` or `<model>-<deployment>`."
    },
)
