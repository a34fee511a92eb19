"""Signatures: those that botocore makes pass, and nothing else does."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.authorization import SignedAuthorization
from penstock.dialects.sagemaker.signature.claims import check_claims
from penstock.dialects.sagemaker.signature.refusals import (
    InvalidSignatureError,
    SignatureRefusedError,
)
from penstock.dialects.sagemaker.signature.verification import canonical_request, check_signature
from tests.unit.dialects.sagemaker.signing import received, signed_headers

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
URL = "https://async.example.com/endpoints/my-ep/async-invocations"
BODY = b'{"x":1}'
MEMBERS = {
    "X-Amzn-SageMaker-Content-Type": "application/json",
    "X-Amzn-SageMaker-Inference-Id": "id-1",
}

_names = st.from_regex(r"x-[a-z][a-z0-9-]{0,20}", fullmatch=True)
_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
_labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_segments = st.text("abz09-_.~ %/é+", min_size=1, max_size=5).filter(lambda s: s.strip("."))


def _url(scheme: str, host: str, port: int | None, prefix: list[str]) -> str:
    default = {"http": 80, "https": 443}[scheme]
    authority = host if port in {None, default} else f"{host}:{port}"
    segments = [quote(segment, safe="") for segment in prefix]
    return "/".join([f"{scheme}://{authority}", *segments, "endpoints/my-ep/async-invocations"])


_urls = st.builds(
    _url,
    st.sampled_from(["http", "https"]),
    _labels,
    st.none() | st.integers(1, 65_535),
    st.lists(_segments, max_size=2),
)


def verify(call: HttpCall, secret: str = SECRET, now: datetime = NOW) -> None:
    claimed = SignedAuthorization.parse(call.headers["authorization"])
    check_claims(call, claimed, now)
    check_signature(call, claimed, secret)


def signed(headers: Mapping[str, str] | None = None, *, url: str = URL) -> HttpCall:
    """Return a call with a small body, signed at `NOW`."""
    members = {**MEMBERS, **(headers or {})}
    sent = signed_headers(url, BODY, members, now=NOW, access_key_id=KEY_ID, secret=SECRET)
    return received(url, BODY, sent)


def test_the_published_vector_is_computed() -> None:
    call = signed()
    claimed = SignedAuthorization.parse(call.headers["authorization"])
    assert claimed.signed_headers == (
        "host", "x-amz-date", "x-amzn-sagemaker-content-type", "x-amzn-sagemaker-inference-id",
    )  # fmt: skip
    hashed = hashlib.sha256(canonical_request(call, claimed, call.paths[0])).hexdigest()
    assert hashed == "788f246a84f22b8332fcc11081d78be40c54621e5fe7f0175a3e754696ad4618"
    signature = "e3d3eff837d747126a859f6fa28ae36e6d47e85feca9556e4889120e5498c834"
    assert claimed.signature == signature
    verify(call)


@given(
    url=_urls,
    body=st.binary(max_size=64),
    headers=st.dictionaries(_names, _values, max_size=4),
    region=_labels,
)
def test_whatever_botocore_signs_is_accepted(
    url: str, body: bytes, headers: dict[str, str], region: str
) -> None:
    sent = signed_headers(
        url, body, headers, now=NOW, access_key_id=KEY_ID, secret=SECRET, region=region
    )
    verify(received(url, body, sent))


@given(data=st.data())
def test_no_byte_that_matters_can_be_changed(data: st.DataObject) -> None:
    call = signed()
    part = data.draw(st.sampled_from(["body", "path", "host", "x-amz-date", *_members(call)]))
    text = _part(call, part)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    if text[at] == other:
        return
    with pytest.raises(SignatureRefusedError):
        verify(_with_part(call, part, text[:at] + other + text[at + 1 :]))


def _members(call: HttpCall) -> list[str]:
    return [name for name in call.headers if name.startswith("x-amzn-")]


def _part(call: HttpCall, part: str) -> str:
    return {"body": call.body.decode(), "path": call.paths[0]}.get(part) or call.headers[part]


def _with_part(call: HttpCall, part: str, text: str) -> HttpCall:
    if part == "body":
        return replace(call, body=text.encode())
    if part == "path":
        return replace(call, paths=(text, text))
    return replace(call, headers={**call.headers, part: text})


@given(st.text("0123456789abcdef", min_size=64, max_size=64))
def test_no_other_signature_is_accepted(signature: str) -> None:
    call = signed()
    claimed = replace(SignedAuthorization.parse(call.headers["authorization"]), signature=signature)
    with pytest.raises(InvalidSignatureError, match="does not match"):
        check_signature(call, claimed, SECRET)


def test_another_secret_is_refused() -> None:
    with pytest.raises(InvalidSignatureError, match="does not match"):
        verify(signed(), secret=SECRET.lower())


@pytest.mark.parametrize("stage", ["/live", "/sm/v1"])
def test_a_stage_in_front_of_the_path_is_part_of_what_was_signed(stage: str) -> None:
    url = f"https://a1.execute-api.example.com{stage}/endpoints/my-ep/async-invocations"
    sent = signed_headers(url, b"x", now=NOW, access_key_id=KEY_ID, secret=SECRET)
    verify(received(url, b"x", sent, stage=stage))


def test_a_signature_for_another_endpoint_is_refused() -> None:
    path = "/endpoints/other/async-invocations"
    with pytest.raises(InvalidSignatureError, match="does not match"):
        verify(replace(signed(), paths=(path, f"/live{path}")))


def test_the_port_of_the_host_is_signed() -> None:
    call = signed(url="http://127.0.0.1:8080/endpoints/my-ep/async-invocations")
    verify(call)
    with pytest.raises(InvalidSignatureError, match="does not match"):
        verify(replace(call, headers={**call.headers, "host": "127.0.0.1"}))


def test_a_query_is_signed_in_order() -> None:
    url = f"{URL}?b=2&a=1%20x&a=0"
    call = signed(url=url)
    verify(call)
    with pytest.raises(InvalidSignatureError, match="does not match"):
        verify(replace(call, repeated_query={**call.repeated_query, "c": ("3",)}))


def test_the_value_of_a_header_may_lose_its_blanks_on_the_way() -> None:
    call = signed({"X-Amzn-SageMaker-Custom-Attributes": "  a   b  "})
    verify(replace(call, headers={**call.headers, "x-amzn-sagemaker-custom-attributes": "a b"}))


def test_a_length_that_a_gateway_kept_to_itself_is_that_of_the_body() -> None:
    call = signed({"Content-Length": "7"})
    kept = {name: value for name, value in call.headers.items() if name != "content-length"}
    verify(replace(call, headers=kept))
    with pytest.raises(InvalidSignatureError):
        verify(replace(call, headers=kept, body=b"longer than that"))


def test_a_signed_header_that_did_not_arrive_is_named() -> None:
    call = signed({"X-Other": "1"})
    kept = {name: value for name, value in call.headers.items() if name != "x-other"}
    with pytest.raises(InvalidSignatureError, match="'x-other'"):
        verify(replace(call, headers=kept))
