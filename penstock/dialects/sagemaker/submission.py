"""Turning an invocation into a submission."""

import json
import uuid
from urllib.parse import quote

from penstock.contracts.directory.api_key import credentials
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.http.sagemaker import MEMBER_HEADERS, InvokeEndpointAsync
from penstock.contracts.origin import (
    ContainerCall,
    Dialect,
    InputLocation,
    Location,
    SageMakerInvocation,
)
from penstock.contracts.request import RetryPolicy, Tenant
from penstock.contracts.request_id import as_uuid, model_fingerprint
from penstock.contracts.submission import OutputPlace, Submission
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.input_location import read_input_location
from penstock.dialects.sagemaker.signature.authorization import SignedAuthorization

INVOCATION_ID_HEADER = "amz-sdk-invocation-id"
ATTEMPT_HEADER = "amz-sdk-request"
_ANY_BYTES = "application/octet-stream"
_ATTEMPTS = 3


def read_submission(
    call: HttpCall,
    invocation: InvokeEndpointAsync,
    deployment: Deployment,
    *,
    results_bucket: str,
) -> Submission:
    """Return what the caller submits.

    Args:
        call: As it was made.
        invocation: What was read of it.
        deployment: Where it goes.
        results_bucket: Where objects lie for which the deployment names no place.
    """
    invocation_id = call.headers.get(INVOCATION_ID_HEADER)
    submission = Submission(
        tenant=call.tenant,
        dialect=Dialect.SAGEMAKER,
        payload=invocation.body,
        input=_input(invocation),
        content_type=invocation.content_type or _ANY_BYTES,
        caller_id=invocation.inference_id,
        output=_output(invocation, deployment, call.tenant, results_bucket),
        max_time_in_queue_seconds=invocation.request_ttl_seconds,
        # What a model answers is final in this dialect; a worker that is lost is replaced.
        retry=RetryPolicy(max_attempts=_ATTEMPTS, retries_answers=False),
        predict_timeout_seconds=invocation.invocation_timeout_seconds,
        addressed=_addressed(invocation),
        # A call that does not name itself is named, so that its request id, which stands in for
        # an absent inference id, is known before there is a request.
        idempotency_key=_identity(call, invocation_id or uuid.uuid4().hex),
        key_is_spent=invocation_id is None or _is_last_try(call),
    )
    inference_id = invocation.inference_id or as_uuid(submission.request_id(deployment.model_id))
    return submission.model_copy(
        update={
            "call": _call(invocation, inference_id),
            "invocation": _repeated(invocation, deployment, inference_id),
        }
    )


def _addressed(invocation: InvokeEndpointAsync) -> str:
    """Return endpoint and name of the result, as they were sent."""
    return json.dumps(
        [invocation.endpoint_name, invocation.output_path_extension, invocation.file_name]
    )


def _is_last_try(call: HttpCall) -> bool:
    """Whether the SDK says that it will not repeat the call: `attempt=3; max=3`."""
    said = dict(
        (part.strip().partition("=")[::2])
        for part in call.headers.get(ATTEMPT_HEADER, "").split(";")
    )
    return "max" in said and said.get("attempt") == said["max"]


def _identity(call: HttpCall, invocation_id: str) -> str:
    """Return what a client's own repeats of a call have in common: key and invocation id."""
    authorization = call.headers["authorization"]
    if SignedAuthorization.is_in(authorization):
        key_id = SignedAuthorization.parse(authorization).access_key_id
    else:
        key_id, _ = credentials(authorization)
    return f"sagemaker:{key_id}:{invocation_id}"


def _input(invocation: InvokeEndpointAsync) -> InputLocation | None:
    if invocation.input_location is None:
        return None
    location = read_input_location(invocation.input_location)
    return InputLocation(**location.model_dump(), content_type=invocation.content_type or None)


def _output(
    invocation: InvokeEndpointAsync, deployment: Deployment, tenant: Tenant, results_bucket: str
) -> OutputPlace:
    # Workers reach what begins with their model's fingerprint; a caller chooses part of the name.
    own = f"{model_fingerprint(deployment.model_id)}/sagemaker/{quote(tenant, safe='')}"
    configured = deployment.sagemaker
    results = configured.output_path or f"s3://{results_bucket}/results/{own}"
    failures = configured.failure_path or f"s3://{results_bucket}/failures/{own}"
    extension = invocation.output_path_extension or ""
    return OutputPlace(
        result_folder=_folder(results, extension),
        failure_folder=_folder(failures, extension),
        file_name=invocation.file_name,
    )


def _folder(path: str, extension: str) -> Location:
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    key = "/".join(filter(None, (prefix.strip("/"), extension.strip("/"))))
    return Location(bucket=bucket, key=key)


def _call(invocation: InvokeEndpointAsync, inference_id: str) -> ContainerCall:
    headers = {
        "Accept": invocation.accept,
        MEMBER_HEADERS["customAttributes"]: invocation.custom_attributes,
        MEMBER_HEADERS["inferenceId"]: inference_id,
    }
    return ContainerCall(headers={name: value for name, value in headers.items() if value})


def _repeated(
    invocation: InvokeEndpointAsync, deployment: Deployment, inference_id: str
) -> SageMakerInvocation:
    configured = deployment.sagemaker
    return SageMakerInvocation(
        endpoint_name=invocation.endpoint_name,
        inference_id=inference_id,
        input_location=invocation.input_location,
        accept=invocation.accept or None,
        content_type=invocation.content_type or None,
        custom_attributes=invocation.custom_attributes or None,
        success_topic=configured.success_topic,
        error_topic=configured.error_topic,
        include_response_in=configured.include_response_in,
    )
