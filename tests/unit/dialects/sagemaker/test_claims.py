"""What a signature claims, before it is computed."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.authorization import SignedAuthorization
from penstock.dialects.sagemaker.signature.refusals import SignatureRefusedError
from tests.unit.dialects.sagemaker.signing import received, signed_headers
from tests.unit.dialects.sagemaker.test_verification import (
    BODY,
    KEY_ID,
    NOW,
    SECRET,
    URL,
    signed,
    verify,
)


def refused(call: HttpCall, seconds_later: float = 0) -> tuple[str, str]:
    """Return name and text of the refusal."""
    with pytest.raises(SignatureRefusedError) as refusal:
        verify(call, now=NOW + timedelta(seconds=seconds_later))
    return refusal.value.name, str(refusal.value)


def with_headers(**headers: str) -> HttpCall:
    call = signed()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(call, headers={**call.headers, **named})


def authorized(old: str, new: str) -> HttpCall:
    """Return a call in whose `Authorization` a text stands for another."""
    header = signed().headers["authorization"]
    assert old in header
    return with_headers(authorization=header.replace(old, new))


def signed_as(**other: Any) -> HttpCall:
    parts = {"now": NOW, "access_key_id": KEY_ID, "secret": SECRET, **other}
    return received(URL, BODY, signed_headers(URL, BODY, **parts))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_clock_may_be_five_minutes_off(seconds: int) -> None:
    verify(signed(), now=NOW + timedelta(seconds=seconds))


def test_an_old_signature_is_told_both_times() -> None:
    assert refused(signed(), 301) == (
        "InvalidSignatureException",
        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z"
        " (20260102T030906Z - 5 min.)",
    )


def test_a_signature_of_the_future_is_told_both_times() -> None:
    assert refused(signed(), -301) == (
        "InvalidSignatureException",
        "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z"
        " (20260102T025904Z + 5 min.)",
    )


@pytest.mark.parametrize("service", ["execute-api", "sagemaker-runtime", "s3"])
def test_a_signature_for_another_service_is_refused(service: str) -> None:
    name, text = refused(signed_as(service=service))
    assert name == "InvalidSignatureException"
    assert "'sagemaker'" in text


def test_any_region_will_do() -> None:
    verify(signed_as(region="mars-north-1"))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (authorized("aws4_request", "aws5_request"), "valid terminator"),
        (authorized("/20260102/", "/20260101/"), "'20260101' != '20260102'"),
        (authorized("host;", ""), "'host' must be among"),
        (authorized("x-amz-date;", ""), "'x-amz-date' must be among"),
        (authorized(";x-amzn-sagemaker-inference-id", ""), "'x-amzn-sagemaker-inference-id'"),
        (with_headers(x_amzn_sagemaker_filename="f"), "'x-amzn-sagemaker-filename'"),
        (with_headers(x_amz_content_sha256=hashlib.sha256(BODY).hexdigest()), "must be among"),
        (signed({"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), "hash of the body"),
        (signed({"X-Amz-Content-SHA256": "0" * 64}), "hash of the body"),
    ],
)
def test_a_signature_that_covers_too_little_is_refused(call: HttpCall, says: str) -> None:
    name, text = refused(call)
    assert name == "InvalidSignatureException"
    assert says in text


def test_a_signed_hash_of_the_body_is_welcome() -> None:
    verify(signed({"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest()}))


def test_a_session_token_is_refused_with_advice() -> None:
    name, text = refused(signed_as(token="t"))  # noqa: S106 - no secret
    assert name == "UnrecognizedClientException"
    assert text.startswith("The security token included in the request is invalid.")
    assert "AWS_SESSION_TOKEN" in text


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (with_headers(x_amz_date="2026-01-02T03:04:05Z"), "X-Amz-Date"),
        (with_headers(x_amz_date="20260102T030465Z"), "20260102T030465Z"),
        (with_headers(x_amz_date="٢٠٢٦٠١٠٢T030405Z"), "X-Amz-Date"),  # noqa: RUF001 - on purpose
        (authorized("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "AWS4-ECDSA-P256-SHA256"),
        (authorized("Credential=", "Key="), "must hold Credential"),
        (authorized("SignedHeaders=", "Signature="), "once"),
        (authorized("/us-east-1/", "/"), "5 slash-delimited"),
        (authorized(KEY_ID, ""), "access key id"),
        (authorized(KEY_ID, "A" * 129), "access key id"),
        (authorized("Signature=", "Signature=F"), "64 lower-case"),
        (with_headers(authorization="AWS4-HMAC-SHA256 Credential=a/b/c/d/e"), "'SignedHeaders'"),
        (with_headers(authorization="AWS4-HMAC-SHA256"), "Credential"),
    ],
)
def test_what_cannot_be_read_is_incomplete(call: HttpCall, says: str) -> None:
    name, text = refused(call)
    assert name == "IncompleteSignatureException"
    assert says in text


@pytest.mark.parametrize("header", ["host", "x-amz-date"])
def test_a_call_without_what_must_be_signed_is_incomplete(header: str) -> None:
    call = signed()
    kept = {name: value for name, value in call.headers.items() if name != header}
    assert refused(replace(call, headers=kept))[0] == "IncompleteSignatureException"


def test_the_parts_may_be_written_without_blanks() -> None:
    header = signed().headers["authorization"].replace(", ", ",")
    verify(with_headers(authorization=header))
    assert SignedAuthorization.is_in(header)
