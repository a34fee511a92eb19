"""Reading an invocation: each constraint of SageMaker's model, told in its words."""

from typing import Any

import pytest

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.sagemaker import InvokeEndpointAsync
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.invocation import read_invocation
from tests.unit.dialects.calls import a_call
from tests.unit.dialects.sagemaker.signing import ROUTE

INPUT = {"x-amzn-sagemaker-inputlocation": "s3://inputs/a.json"}
PREFIX = "x-amzn-sagemaker-"


def a_call_with(body: bytes = b"", endpoint: str = "ocr", **members: str) -> HttpCall:
    """Return a call; `content_type` is the header that ends in `content-type`."""
    headers = {PREFIX + name.replace("_", "-"): value for name, value in members.items()}
    return a_call(ROUTE, headers=headers, raw=body, path_parameters={"endpoint_name": endpoint})


def read(body: bytes = b"", endpoint: str = "ocr", **members: str) -> InvokeEndpointAsync:
    if not body:
        members = {"inputlocation": "s3://inputs/a.json", **members}
    return read_invocation(a_call_with(body, endpoint, **members))


def refusal(**call: Any) -> str:
    with pytest.raises(InvalidSubmissionError) as refused:
        read(**call)
    return str(refused.value)


def test_every_member_is_read() -> None:
    read_members = read(
        content_type="text/csv",
        accept="application/json, text/csv",
        custom_attributes="trace=1",
        inference_id="id 1",
        s3outputpathextension="team-a/2026",
        filename="r.json",
        requestttlseconds="60",
        invocationtimeoutseconds="3600",
    )
    assert read_members.model_dump() == {
        "endpoint_name": "ocr",
        "content_type": "text/csv",
        "accept": "application/json, text/csv",
        "custom_attributes": "trace=1",
        "inference_id": "id 1",
        "input_location": "s3://inputs/a.json",
        "output_path_extension": "team-a/2026",
        "file_name": "r.json",
        "request_ttl_seconds": 60,
        "invocation_timeout_seconds": 3_600,
        "body": b"",
    }


def test_defaults_are_those_of_sagemaker() -> None:
    invocation = read(b"x")
    assert (invocation.request_ttl_seconds, invocation.invocation_timeout_seconds) == (21_600, 900)
    assert invocation.inference_id is None


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"requestttlseconds": "59"},
            "Value '59' at 'requestTTLSeconds' failed to satisfy constraint:"
            " Member must have value greater than or equal to 60",
        ),
        (
            {"requestttlseconds": "21601"},
            "Value '21601' at 'requestTTLSeconds' failed to satisfy constraint:"
            " Member must have value less than or equal to 21600",
        ),
        (
            {"requestttlseconds": "soon"},
            "Value 'soon' at 'requestTTLSeconds' failed to satisfy constraint:"
            " Member must be an integer",
        ),
        (
            {"invocationtimeoutseconds": "0"},
            "Value '0' at 'invocationTimeoutSeconds' failed to satisfy constraint:"
            " Member must have value greater than or equal to 1",
        ),
        (
            {"invocationtimeoutseconds": "3601"},
            "Value '3601' at 'invocationTimeoutSeconds' failed to satisfy constraint:"
            " Member must have value less than or equal to 3600",
        ),
        (
            {"inference_id": "x" * 65},
            f"Value '{'x' * 65}' at 'inferenceId' failed to satisfy constraint:"
            " Member must have length less than or equal to 64",
        ),
        (
            {"inference_id": ""},
            "Value '' at 'inferenceId' failed to satisfy constraint:"
            " Member must have length greater than or equal to 1",
        ),
        (
            {"custom_attributes": "x" * 1_025},
            "Value at 'customAttributes' failed to satisfy constraint:"
            " Member must have length less than or equal to 1024",
        ),
    ],
)
def test_a_broken_constraint_is_told_as_aws_tells_it(members: dict[str, str], text: str) -> None:
    assert refusal(**members) == f"1 validation error detected: {text}"


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("endpoint", "-ocr", "endpointName"),
        ("endpoint", "o.c.r", "endpointName"),
        ("endpoint", "e" * 64, "endpointName"),
        ("inference_id", " blank-first", "inferenceId"),
        ("inference_id", "é", "inferenceId"),
        ("accept", "é", "accept"),
        ("accept", "x" * 1_025, "accept"),
        ("content_type", "x" * 1_025, "contentType"),
        ("custom_attributes", "é", "customAttributes"),
        ("inputlocation", "ftp://b/k", "inputLocation"),
        ("inputlocation", "s3://inputs", "inputLocation"),
        ("inputlocation", f"s3://inputs/{'k' * 1_024}", "inputLocation"),
        ("filename", "a.b.c", "filename"),
        ("filename", "a/b", "filename"),
        ("filename", ".hidden", "filename"),
        ("filename", "f" * 33, "filename"),
        ("s3outputpathextension", "s3:x", "s3OutputPathExtension"),
        ("s3outputpathextension", "a b", "s3OutputPathExtension"),
        ("s3outputpathextension", "x" * 513, "s3OutputPathExtension"),
        ("s3outputpathextension", "a/../b", "s3OutputPathExtension"),
        ("s3outputpathextension", "..", "s3OutputPathExtension"),
        ("s3outputpathextension", "./a", "s3OutputPathExtension"),
        ("s3outputpathextension", "a//b", "s3OutputPathExtension"),
        ("s3outputpathextension", "//a", "s3OutputPathExtension"),
        ("s3outputpathextension", "/", "s3OutputPathExtension"),
    ],
)
def test_each_member_has_its_range(member: str, value: str, name: str) -> None:
    assert f"at '{name}' failed to satisfy constraint: Member must" in refusal(**{member: value})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("inference_id", "x" * 64),
        ("filename", "r-1_b.json"),
        ("filename", "f" * 32),
        ("s3outputpathextension", "/a/b/"),
        ("s3outputpathextension", "x..y/!_.*'()-"),
        ("requestttlseconds", "21600"),
        ("invocationtimeoutseconds", "1"),
        ("endpoint", "Aa--1"),
        ("content_type", ""),
    ],
)
def test_what_lies_within_is_taken(member: str, value: str) -> None:
    read(**{member: value})  # type: ignore[arg-type]  # a name of a member


def test_a_body_may_have_128000_bytes_and_no_more() -> None:
    assert len(read(b"\xff" * 128_000).body) == 128_000
    assert refusal(body=b"x" * 128_001) == (
        "1 validation error detected: Value at 'body' failed to satisfy constraint:"
        " Member must have length less than or equal to 128000"
    )


def test_there_must_be_exactly_one_input() -> None:
    both = refusal(body=b"x", inputlocation="s3://inputs/a.json")
    assert "Value at 'body'" in both
    assert "send one of the two" in both
    with pytest.raises(InvalidSubmissionError, match="Value null at 'inputLocation'"):
        read_invocation(a_call_with())


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = refusal(requestttlseconds="1", filename="a.b.c", s3outputpathextension="..")
    assert text.startswith("3 validation errors detected: ")
    assert text.count("failed to satisfy constraint") == 3


def test_a_long_value_is_cut_where_it_is_repeated() -> None:
    assert len(refusal(accept="x" * 8_000)) < 300
