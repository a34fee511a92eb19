"""Two writers of one S3 key."""

import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.contracts.errors import PlaceRefusedError, UnavailableError
from penstock.contracts.origin import Location
from penstock.contracts.request import RequestId

pytestmark = pytest.mark.usefixtures("aws_variables")

REQUEST_ID = RequestId("0" * 32)


def refuse(stubber: Stubber, code: str, status: int) -> None:
    stubber.add_client_error("put_object", code, http_status_code=status)


def vanish(stubber: Stubber) -> None:
    stubber.add_client_error("head_object", "404", http_status_code=404)


def test_a_write_that_met_another_is_tried_again() -> None:
    with Stubber(client("s3")) as stubber:
        refuse(stubber, "ConditionalRequestConflict", 409)
        expected = {"IfNoneMatch": "*", "Bucket": "results", "Key": f"results/{REQUEST_ID}"}
        vanish(stubber)
        sent = {"Body": b"{}", "ContentType": "application/json", "Metadata": {}}
        stubber.add_response("put_object", {}, {**expected, **sent})
        stored = S3ResultStore("results", client("s3")).put_result(
            REQUEST_ID, b"{}", "application/json"
        )
        assert stored.size_bytes == 2
        stubber.assert_no_pending_responses()


def test_an_object_that_vanished_after_the_refusal_is_written_again() -> None:
    with Stubber(client("s3")) as stubber:
        refuse(stubber, "PreconditionFailed", 412)
        vanish(stubber)
        stubber.add_response("put_object", {}, None)
        S3ResultStore("results", client("s3")).put_failure(REQUEST_ID, b"{}")
        stubber.assert_no_pending_responses()


def test_endless_conflicts_make_s3_unavailable() -> None:
    with Stubber(client("s3")) as stubber:
        for _ in range(3):
            refuse(stubber, "ConditionalRequestConflict", 409)
            vanish(stubber)
        refuse(stubber, "ConditionalRequestConflict", 409)
        with pytest.raises(UnavailableError, match="ConditionalRequestConflict"):
            S3ResultStore("results", client("s3")).put_failure(REQUEST_ID, b"{}")
        stubber.assert_no_pending_responses()


def test_a_denied_write_is_neither_repeated_nor_hidden() -> None:
    with Stubber(client("s3")) as stubber:
        refuse(stubber, "AccessDenied", 403)
        with pytest.raises(ClientError, match="AccessDenied"):
            S3ResultStore("results", client("s3")).put_failure(REQUEST_ID, b"{}")


def test_what_may_only_be_absent_from_our_own_bucket_is_absent_though_s3_says_forbidden() -> None:
    with Stubber(client("s3")) as stubber:
        forbidden(stubber)
        assert S3ResultStore("results", client("s3")).find_result(REQUEST_ID) is None


def test_what_is_forbidden_at_a_callers_place_is_not_taken_for_absent() -> None:
    place = Location(bucket="callers", key="results/1.out")
    with Stubber(client("s3")) as stubber:
        forbidden(stubber)
        with pytest.raises(PlaceRefusedError, match="403"):
            S3ResultStore("results", client("s3")).find_result(REQUEST_ID, place)


def forbidden(stubber: Stubber) -> None:
    stubber.add_client_error(
        "head_object", "403", http_status_code=403, expected_params={"Bucket": ANY, "Key": ANY}
    )
