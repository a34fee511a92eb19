"""What S3 refuses for good, told from what may succeed later and from what is our own fault."""

from io import BytesIO

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3PayloadStore, S3ResultStore
from penstock.contracts.errors import (
    InputUnreadableError,
    PenstockError,
    PlaceRefusedError,
    UnavailableError,
)
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.request import RequestId

REQUEST_ID = RequestId("0" * 32)
PLACE = Location(bucket="callers", key="today.out")
INPUT = InputLocation(bucket="callers", key="page.png")
FINAL = [
    ("AccessDenied", 403),
    ("AllAccessDisabled", 403),
    ("AuthorizationHeaderMalformed", 400),
    ("InvalidArgument", 400),
    ("InvalidBucketName", 400),
    ("InvalidObjectState", 403),
    ("InvalidRequest", 400),
    ("KMS.DisabledException", 400),
    ("KMS.KMSInvalidStateException", 400),
    ("KMS.NotFoundException", 400),
    ("MethodNotAllowed", 405),
    ("NoSuchBucket", 404),
    ("SomethingNobodyKnowsYet", 400),
]


def put_refused(code: str, status: int, place: Location | None) -> Exception:
    with Stubber(client("s3")) as stubber:
        stubber.add_client_error("put_object", code, http_status_code=status)
        with pytest.raises((PenstockError, ClientError)) as refused:
            S3ResultStore("results", client("s3")).put_result(
                REQUEST_ID, b"1", "text/plain", place=place
            )
        return refused.value


@pytest.mark.parametrize(("code", "status"), FINAL)
def test_any_final_refusal_of_a_callers_place_is_its_refusal_with_the_reason(
    code: str, status: int
) -> None:
    error = put_refused(code, status, PLACE)
    assert isinstance(error, PlaceRefusedError)
    assert PLACE.uri in str(error)
    assert code in str(error)


@pytest.mark.parametrize(("code", "status"), FINAL)
def test_the_same_refusal_at_a_place_of_ours_is_an_error(code: str, status: int) -> None:
    assert isinstance(put_refused(code, status, None), ClientError)


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "RequestTimeTooSkewed"])
def test_a_fault_of_our_own_clock_or_credentials_is_not_the_places(code: str) -> None:
    assert isinstance(put_refused(code, 403, PLACE), ClientError)


@pytest.mark.parametrize(
    ("code", "status"),
    [("SlowDown", 503), ("KMS.ThrottlingException", 400), ("OperationAborted", 409)],
)
def test_a_place_that_may_take_it_later_is_unavailable(code: str, status: int) -> None:
    assert isinstance(put_refused(code, status, PLACE), UnavailableError)


@pytest.mark.parametrize(
    ("code", "status"), [*FINAL, ("NoSuchKey", 404), ("PermanentRedirect", 400)]
)
def test_an_input_that_s3_will_never_hand_out_is_unreadable_after_one_look(
    code: str, status: int
) -> None:
    with Stubber(client("s3")) as stubber:
        stubber.add_client_error("get_object", code, http_status_code=status)
        with pytest.raises(InputUnreadableError, match=code):
            S3PayloadStore("payloads", client("s3")).fetch(INPUT, BytesIO(), 100)
        stubber.assert_no_pending_responses()
