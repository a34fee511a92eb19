"""What S3 may answer to a read of a caller's object."""

from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3PayloadStore
from penstock.contracts.errors import InputUnreadableError, UnavailableError
from penstock.contracts.origin import InputLocation

pytestmark = pytest.mark.usefixtures("aws_variables")

PAGE = InputLocation(bucket="callers", key="pages/1.png")


def fetch(stubber: Stubber, into: BytesIO, max_bytes: int = 100) -> str:
    with stubber:
        return S3PayloadStore("payloads", client("s3")).fetch(PAGE, into, max_bytes)


def answer(body: bytes, **changes: Any) -> Stubber:
    stubber = Stubber(client("s3"))
    length = changes.setdefault("ContentLength", len(body))
    stubber.add_response("get_object", {"Body": StreamingBody(BytesIO(body), length), **changes})
    return stubber


def refusal(code: str, status: int) -> Stubber:
    stubber = Stubber(client("s3"))
    stubber.add_client_error("get_object", code, http_status_code=status)
    return stubber


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDenied", 403, "reading it is forbidden"),
        ("InvalidObjectState", 403, "it is archived"),
        ("NoSuchBucket", 404, "there is no such bucket"),
        ("NoSuchKey", 404, "there is no such object"),
    ],
)
def test_what_will_never_be_readable_is_said_so(code: str, status: int, reason: str) -> None:
    with pytest.raises(InputUnreadableError, match=reason):
        fetch(refusal(code, status), BytesIO())


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500)])
def test_what_may_be_readable_later_is_unavailable(code: str, status: int) -> None:
    with pytest.raises(UnavailableError, match=f"fetch input failed: {code}"):
        fetch(refusal(code, status), BytesIO())


def test_a_fault_of_our_own_credentials_is_not_the_callers() -> None:
    with pytest.raises(UnavailableError, match="ExpiredToken"):
        fetch(refusal("ExpiredToken", 400), BytesIO())


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="fetch input failed"):
        fetch(answer(b"half", ContentLength=8), BytesIO())


def test_an_object_that_is_too_large_is_not_read() -> None:
    body = BytesIO(bytes(200))
    stubber = Stubber(client("s3"))
    streamed = StreamingBody(body, 200)
    stubber.add_response("get_object", {"Body": streamed, "ContentLength": 200})
    with pytest.raises(InputUnreadableError, match="200 bytes are more than 100"):
        fetch(stubber, BytesIO())
    assert body.closed


def test_an_object_without_a_type_is_bytes() -> None:
    into = BytesIO()
    assert fetch(answer(b"1"), into) == "application/octet-stream"
    assert into.getvalue() == b"1"
