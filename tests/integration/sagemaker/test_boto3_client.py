"""`boto3` unmodified: only `endpoint_url` and the key pair are ours.

These are checks 1, 3, 4 and 5 of what a compatible server must pass, as far as the intake goes.
"""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import boto3
import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from penstock.contracts.errors import UnavailableError
from penstock.contracts.origin import Dialect, InputLocation
from penstock.contracts.request_id import as_uuid, model_fingerprint
from tests.integration.sagemaker.conftest import Platform

pytestmark = pytest.mark.integration

OCR = model_fingerprint("ocr")
INPUT = {"InputLocation": "s3://inputs/in.json"}


def refused(client: Any, **parameters: Any) -> tuple[str, int, str]:
    """Return code, status and message of the error that the client raises."""
    with pytest.raises(ClientError) as error:
        client.invoke_endpoint_async(**{"EndpointName": "ocr", **INPUT, **parameters})
    response = error.value.response
    told = response["Error"]
    return told["Code"], response["ResponseMetadata"]["HTTPStatusCode"], told["Message"]


@pytest.mark.spec("sagemaker", 1)
def test_a_signed_call_is_accepted_and_its_id_echoed(platform: Platform) -> None:
    answer = platform.client().invoke_endpoint_async(
        EndpointName="ocr",
        InputLocation="s3://inputs/in.json",
        ContentType="application/json",
        InferenceId="abc-1",
    )

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "abc-1"
    row = platform.world.row(answer["ResponseMetadata"]["RequestId"])
    assert (row.dialect, row.tenant, row.caller_id) == (Dialect.SAGEMAKER, "acme", "abc-1")
    name = f"{as_uuid(row.request_id)}.out"
    assert answer["OutputLocation"] == f"s3://results/results/{OCR}/sagemaker/acme/{name}"
    failures = f"s3://results/failures/{OCR}/sagemaker/acme/"
    assert answer["FailureLocation"].startswith(failures)
    (message,) = platform.waiting
    assert message.location == InputLocation(
        bucket="inputs", key="in.json", content_type="application/json"
    )


def test_without_an_id_the_request_id_is_answered_with_the_hyphens_of_a_uuid(
    platform: Platform,
) -> None:
    answer = platform.client().invoke_endpoint_async(EndpointName="ocr", **INPUT)
    row = platform.world.row(answer["ResponseMetadata"]["RequestId"])
    assert (answer["InferenceId"], row.caller_id) == (as_uuid(row.request_id), None)
    assert UUID(answer["InferenceId"]).hex == row.request_id
    assert answer["OutputLocation"].endswith(f"/{answer['InferenceId']}.out")
    assert answer["FailureLocation"].endswith(f"/{answer['InferenceId']}-error.out")


def test_every_parameter_reaches_the_request(platform: Platform) -> None:
    answer = platform.client().invoke_endpoint_async(
        EndpointName="ocr-staging",
        ContentType="text/csv",
        Accept="application/json, text/csv",
        CustomAttributes="trace=1; other  = 2",
        InferenceId="id 1",
        InputLocation="https://inputs.s3.eu-central-1.amazonaws.com/in.csv",
        S3OutputPathExtension="team-a/2026",
        Filename="r.json",
        RequestTTLSeconds=60,
        InvocationTimeoutSeconds=3600,
    )

    row = platform.world.row(answer["ResponseMetadata"]["RequestId"])
    assert answer["OutputLocation"].endswith("/acme/team-a/2026/r.json")
    assert row.deployment_id == "ocr-2"
    assert row.predict_timeout_seconds == 3600
    assert (row.deadline_at - row.created_at).total_seconds() == 60
    assert row.invocation is not None
    assert row.invocation.custom_attributes == "trace=1; other  = 2"
    (message,) = platform.world.waiting("ocr-2")
    assert message.call is not None
    assert message.call.headers["Accept"] == "application/json, text/csv"


@pytest.mark.spec("sagemaker", 3)
def test_a_body_of_128000_bytes_of_any_kind_is_taken(platform: Platform) -> None:
    body = bytes(range(256)) * 500
    answer = platform.client().invoke_endpoint_async(
        EndpointName="ocr",
        Body=body,
        ContentType="image/png",
        Filename="r-1.json",
        S3OutputPathExtension="a/b",
    )
    assert answer["OutputLocation"].endswith("/a/b/r-1.json")
    (message,) = platform.waiting
    assert message.inline_payload == body
    assert message.content_type == "image/png"


@pytest.mark.spec("sagemaker", 4)
@pytest.mark.parametrize(
    "parameters",
    [
        {"RequestTTLSeconds": 59},
        {"RequestTTLSeconds": 21_601},
        {"InvocationTimeoutSeconds": 0},
        {"InvocationTimeoutSeconds": 3_601},
        {"InputLocation": "ftp://b/k"},
        {"InputLocation": "s3://not-allowed/k"},
        {"InferenceId": "x" * 65},
        {"Body": b"x"},
        {"InputLocation": None},
        {"InputLocation": None, "Body": b"x" * 128_001},
        {"Filename": "a.b.c"},
        {"S3OutputPathExtension": "a/../b"},
        {"EndpointName": "no-such-endpoint"},
    ],
    ids=str,
)
def test_what_breaks_a_constraint_is_the_modelled_error(
    platform: Platform, parameters: dict[str, Any]
) -> None:
    client = platform.client(parameter_validation=False)
    sent = {"EndpointName": "ocr", **INPUT, **parameters}
    given = {name: value for name, value in sent.items() if value is not None}
    with pytest.raises(client.exceptions.ValidationError) as error:
        client.invoke_endpoint_async(**given)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert response["Error"]["Message"]
    assert platform.waiting == []


def test_an_unknown_endpoint_is_told_in_sagemakers_words(platform: Platform) -> None:
    _, _, message = refused(platform.client(), EndpointName="no-such-endpoint")
    assert message.startswith("Endpoint no-such-endpoint of this stack not found.")


@pytest.mark.spec("sagemaker", 5)
def test_wrong_keys_are_refused(platform: Platform) -> None:
    wrong_secret = platform.client(secret="wrong")  # noqa: S106 - on purpose
    assert refused(wrong_secret)[:2] == ("InvalidSignatureException", 403)
    unknown = platform.client("AKIAUNKNOWNUNKNOWN00")
    assert refused(unknown) == (
        "UnrecognizedClientException",
        403,
        "The security token included in the request is invalid.",
    )
    temporary = platform.client(token="t")  # noqa: S106 - on purpose
    assert refused(temporary)[:2] == ("UnrecognizedClientException", 403)
    assert platform.waiting == []
    assert len(platform.bridge.attempts) == 3  # none was repeated


@pytest.mark.spec("sagemaker", 5)
@pytest.mark.parametrize(
    "tampers",
    [
        {"X-Amzn-SageMaker-InputLocation": "s3://inputs/other.json"},
        {"X-Amzn-SageMaker-Filename": "injected"},
        {"Host": "other.example.com"},
        {"X-Amz-Security-Token": "t"},
    ],
    ids=str,
)
def test_a_header_that_was_changed_on_the_way_is_refused(
    platform: Platform, tampers: dict[str, str]
) -> None:
    platform.bridge.tampers = tampers
    assert refused(platform.client())[1] == 403
    assert platform.waiting == []


@pytest.mark.spec("sagemaker", 5)
def test_a_body_that_was_changed_on_the_way_is_refused(platform: Platform) -> None:
    platform.bridge.suffix = b"x"
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        platform.client().invoke_endpoint_async(EndpointName="ocr", Body=b"{}")
    assert platform.waiting == []


@pytest.mark.spec("sagemaker", 5)
def test_an_old_signature_is_refused_with_both_times(platform: Platform) -> None:
    platform.world.clock.advance(400)
    code, status, message = refused(platform.client())
    assert (code, status) == ("InvalidSignatureException", 403)
    assert message.startswith("Signature expired: ")
    assert platform.waiting == []


@pytest.mark.spec("sagemaker", 5)
def test_a_signature_for_another_service_is_refused(platform: Platform) -> None:
    client = platform.client()
    client._request_signer._signing_name = "execute-api"  # noqa: SLF001 - as a wrong tool does
    code, status, message = refused(client)
    assert (code, status) == ("InvalidSignatureException", 403)
    assert "'sagemaker'" in message
    assert platform.waiting == []


@pytest.mark.spec("sagemaker", 5)
def test_an_unsigned_call_is_refused(platform: Platform) -> None:
    client = platform.client(signature_version=UNSIGNED)
    assert refused(client)[:2] == ("MissingAuthenticationTokenException", 403)
    assert platform.waiting == []


@pytest.mark.parametrize("path", ["/live", "/live/"])
def test_a_stage_in_the_url_is_signed_along(platform: Platform, path: str) -> None:
    client = platform.client(url=platform.bridge.url + path)
    answer = client.invoke_endpoint_async(EndpointName="ocr", **INPUT)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202


def test_the_environment_alone_points_a_client_here(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", platform.bridge.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", platform.pair[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", platform.pair[1])
    client: Any = boto3.Session(region_name="eu-west-1").client("sagemaker-runtime")
    client.invoke_endpoint_async(EndpointName="ocr", **INPUT)
    (attempt,) = platform.bridge.attempts
    assert attempt["host"] == urlsplit(platform.bridge.url).netloc
    assert "/eu-west-1/sagemaker/" in attempt["authorization"]


def test_a_lack_of_aws_is_the_modelled_error_once_repeats_are_used_up(platform: Platform) -> None:
    platform.world.faults.fail("queue.send", UnavailableError("send", "throttled"), times=3)
    client = platform.client(retries={"mode": "standard", "total_max_attempts": 3})
    with pytest.raises(client.exceptions.ServiceUnavailable):
        client.invoke_endpoint_async(EndpointName="ocr", **INPUT)
    assert len(platform.bridge.attempts) == 3
