"""An invocation in our own words."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.contracts.directory.catalog import Deployment, SageMakerOutput
from penstock.contracts.origin import ContainerCall, InputLocation, SageMakerInvocation
from penstock.contracts.request import RequestId, RetryPolicy, Tenant
from penstock.contracts.request_id import as_uuid, model_fingerprint
from penstock.contracts.submission import Submission
from penstock.dialects.sagemaker.invocation import read_invocation
from penstock.dialects.sagemaker.submission import read_submission
from tests.unit.dialects.calls import a_call
from tests.unit.dialects.sagemaker.signing import ROUTE

PREFIX = "x-amzn-sagemaker-"
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AK/20260102/r/sagemaker/aws4_request,"
    f"SignedHeaders=host,Signature={'0' * 64}"
)
R1 = RequestId("01234567" + "89ab" * 6)
SHOWN = "01234567-89ab-89ab-89ab-89ab89ab89ab"


def read(  # noqa: PLR0913 - what a call may differ in
    body: bytes = b"",
    *,
    configured: SageMakerOutput | None = None,
    tenant: str = "acme",
    authorization: str = SIGNED,
    invocation_id: str | None = "i1",
    tried: str = "",
    **members: str,
) -> Submission:
    if not body:
        members = {"inputlocation": "s3://inputs/a.json", **members}
    headers = {PREFIX + name.replace("_", "-"): value for name, value in members.items()}
    headers["authorization"] = authorization
    if invocation_id:
        headers["amz-sdk-invocation-id"] = invocation_id
    if tried:
        headers["amz-sdk-request"] = tried
    parameters = {"endpoint_name": "ocr-1"}
    call = a_call(ROUTE, headers=headers, raw=body, path_parameters=parameters)
    deployment = Deployment(
        model_id="ocr",
        deployment_id="ocr-1",
        queue_urls=("p0", "p1", "p2"),
        dead_letter_queue_url="dead",
        sagemaker=configured or SageMakerOutput(),
    )
    owned = replace(call, tenant=Tenant(tenant))
    return read_submission(owned, read_invocation(call), deployment, results_bucket="results")


def places(**call: Any) -> tuple[str, str]:
    """Return where result and failure document of request `R1` lie."""
    output = read(**call).output
    assert output is not None
    destination = output.destination(R1)
    return destination.result.uri, destination.failure.uri


def test_times_attempts_and_priority_are_those_of_the_dialect() -> None:
    submission = read(requestttlseconds="60", invocationtimeoutseconds="7")
    assert (submission.max_time_in_queue_seconds, submission.predict_timeout_seconds) == (60, 7)
    assert submission.retry == RetryPolicy(max_attempts=3, retries_answers=False)
    assert submission.priority == 0


def test_an_input_in_s3_has_the_callers_type_or_its_own() -> None:
    typed = read(content_type="text/csv")
    assert typed.input == InputLocation(bucket="inputs", key="a.json", content_type="text/csv")
    assert typed.payload == b""
    for untyped in (read(), read(content_type="")):
        assert untyped.input == InputLocation(bucket="inputs", key="a.json")


def test_a_body_has_the_callers_type_or_none_in_particular() -> None:
    assert read(b"x", content_type="text/csv").content_type == "text/csv"
    submission = read(b"\xff")
    assert (submission.payload, submission.input) == (b"\xff", None)
    assert submission.content_type == "application/octet-stream"


def test_the_container_is_called_with_what_the_caller_said() -> None:
    submission = read(b"x", accept="a/b, c/d", custom_attributes="trace=1", inference_id="id-1")
    assert submission.call == ContainerCall(
        headers={
            "Accept": "a/b, c/d",
            "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
            "X-Amzn-SageMaker-Inference-Id": "id-1",
        }
    )


def test_a_given_id_is_the_callers_and_an_absent_one_is_the_requests() -> None:
    given = read(inference_id="id-1")
    assert given.caller_id == "id-1"
    assert given.invocation is not None
    assert given.invocation.inference_id == "id-1"
    for absent in (read(), read(invocation_id=None)):
        shown_id = as_uuid(absent.request_id("ocr"))
        assert absent.caller_id is None
        assert absent.invocation is not None
        assert absent.invocation.inference_id == shown_id
        assert absent.call is not None
        assert absent.call.headers == {"X-Amzn-SageMaker-Inference-Id": shown_id}


def test_the_notification_can_repeat_the_call() -> None:
    configured = SageMakerOutput(
        success_topic="arn:ok", error_topic="arn:no", include_response_in=("error",)
    )
    assert read(inference_id="i", accept="a/b", configured=configured).invocation == (
        SageMakerInvocation(
            endpoint_name="ocr-1",
            inference_id="i",
            input_location="s3://inputs/a.json",
            accept="a/b",
            success_topic="arn:ok",
            error_topic="arn:no",
            include_response_in=("error",),
        )
    )


def test_without_a_configured_place_each_tenant_has_a_folder_of_the_models() -> None:
    ocr = model_fingerprint("ocr")
    assert places() == (
        f"s3://results/results/{ocr}/sagemaker/acme/{SHOWN}.out",
        f"s3://results/failures/{ocr}/sagemaker/acme/{SHOWN}-error.out",
    )
    other = places(tenant="../b c")[0]
    assert other == f"s3://results/results/{ocr}/sagemaker/..%2Fb%20c/{SHOWN}.out"


@pytest.mark.parametrize(
    ("path", "extension", "name", "result"),
    [
        ("s3://out", "", "", f"s3://out/{SHOWN}.out"),
        ("s3://out/", "a/b", "", f"s3://out/a/b/{SHOWN}.out"),
        ("s3://out/team", "", "r-1.json", "s3://out/team/r-1.json"),
        ("s3://out/team/", "/a/b/", "r-1.json", "s3://out/team/a/b/r-1.json"),
    ],
)
def test_a_result_lies_in_the_configured_place_under_extension_and_name(
    path: str, extension: str, name: str, result: str
) -> None:
    asked = {"s3outputpathextension": extension, "filename": name}
    members = {member: value for member, value in asked.items() if value}
    assert places(configured=SageMakerOutput(output_path=path), **members)[0] == result


def test_a_failure_lies_in_its_own_place_under_the_extension_and_never_the_name() -> None:
    configured = SageMakerOutput(output_path="s3://out", failure_path="s3://bad/f/")
    failure = places(configured=configured, s3outputpathextension="a/b", filename="r.json")[1]
    assert failure == f"s3://bad/f/a/b/{SHOWN}-error.out"


def test_the_repeats_of_a_client_are_one_request() -> None:
    assert read().request_id("ocr") == read().request_id("ocr")
    assert read().sha256() == read().sha256()


def test_a_repeat_is_the_same_though_the_endpoint_writes_elsewhere_now() -> None:
    moved = SageMakerOutput(output_path="s3://out/new", success_topic="arn:aws:sns:r:1:t")
    assert read(configured=moved).sha256() == read().sha256()
    assert read(filename="b.json").sha256() != read().sha256()
    assert read(s3outputpathextension="b").sha256() != read().sha256()


@pytest.mark.parametrize(
    ("invocation_id", "tried", "may_be_repeated"),
    [
        (None, "", False),
        ("i1", "", True),
        ("i1", "attempt=1", True),
        ("i1", "attempt=1; max=3", True),
        ("i1", "attempt=3; max=3", False),
        ("i1", "ttl=20261130T000000Z; attempt=3; max=3", False),
    ],
)
def test_only_what_an_sdk_will_send_again_is_left_to_its_repeat(
    invocation_id: str | None, tried: str, *, may_be_repeated: bool
) -> None:
    submission = read(invocation_id=invocation_id, tried=tried)
    assert submission.may_be_repeated is may_be_repeated


@pytest.mark.parametrize(
    "other",
    [
        {"invocation_id": "i2"},
        {"invocation_id": None},
        {"tenant": "other"},
        {"authorization": SIGNED.replace("=AK/", "=AK2/")},
        {"authorization": "Bearer key.secret"},
    ],
)
def test_another_call_key_or_tenant_is_another_request(other: dict[str, Any]) -> None:
    assert read(**other).request_id("ocr") != read().request_id("ocr")


def test_calls_that_name_themselves_not_at_all_are_never_the_same() -> None:
    assert read(invocation_id=None).request_id("ocr") != read(invocation_id=None).request_id("ocr")
