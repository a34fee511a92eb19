"""Files that are too large for one call."""

from io import BytesIO

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.objects.new_object import PART_BYTES
from penstock.contracts.errors import UnavailableError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.request import RequestId

pytestmark = pytest.mark.usefixtures("aws_variables")

REQUEST_ID = RequestId("0" * 32)
UPLOAD = {"Bucket": "results", "Key": f"results/{REQUEST_ID}", "UploadId": "u"}


@pytest.fixture
def stubber() -> Stubber:
    """Return an S3 in which nothing lies and an upload has begun."""
    stubber = Stubber(client("s3"))
    stubber.add_client_error("head_object", "404", http_status_code=404)
    stubber.add_response("create_multipart_upload", {"UploadId": "u"})
    return stubber


def put(stubber: Stubber) -> StoredObject:
    file = BytesIO(bytes(PART_BYTES) + b"end")
    with stubber:
        stored = S3ResultStore("results", client("s3")).put_result(REQUEST_ID, file, "video/mp4")
        stubber.assert_no_pending_responses()
    return stored


def expect_part(stubber: Stubber, number: int, body: object) -> None:
    expected = {**UPLOAD, "PartNumber": number, "Body": body, "ChecksumAlgorithm": "CRC32"}
    answer = {"ETag": f"e{number}", "ChecksumCRC32": f"c{number}"}
    stubber.add_response("upload_part", answer, expected)


def test_a_large_file_is_put_together_from_parts_unless_something_lies_there(
    stubber: Stubber,
) -> None:
    expect_part(stubber, 1, ANY)
    expect_part(stubber, 2, b"end")
    parts = [{"PartNumber": n, "ETag": f"e{n}", "ChecksumCRC32": f"c{n}"} for n in (1, 2)]
    expected = {**UPLOAD, "MultipartUpload": {"Parts": parts}, "IfNoneMatch": "*"}
    stubber.add_response("complete_multipart_upload", {}, expected)
    assert put(stubber).size_bytes == PART_BYTES + 3


def test_parts_of_an_upload_that_failed_are_given_back(stubber: Stubber) -> None:
    stubber.add_client_error("upload_part", "SlowDown", http_status_code=503)
    stubber.add_response("abort_multipart_upload", {}, UPLOAD)
    with pytest.raises(UnavailableError, match="upload part failed: SlowDown"):
        put(stubber)
    stubber.assert_no_pending_responses()


def test_an_upload_that_lost_a_race_adopts_what_lies_there(stubber: Stubber) -> None:
    expect_part(stubber, 1, ANY)
    expect_part(stubber, 2, b"end")
    stubber.add_client_error(
        "complete_multipart_upload", "PreconditionFailed", http_status_code=412
    )
    # What cannot be given back now is taken by the bucket's lifecycle.
    stubber.add_client_error("abort_multipart_upload", "SlowDown", http_status_code=503)
    stubber.add_response("head_object", {"ContentType": "video/mp4", "ContentLength": 1})
    assert put(stubber).size_bytes == 1


def test_a_denied_upload_is_not_hidden(stubber: Stubber) -> None:
    stubber.add_client_error("upload_part", "AccessDenied", http_status_code=403)
    stubber.add_response("abort_multipart_upload", {}, UPLOAD)
    with pytest.raises(ClientError, match="AccessDenied"):
        put(stubber)
