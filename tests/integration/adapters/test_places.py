"""Objects at the places that callers were promised."""

from io import BytesIO

import pytest

from penstock.contracts.errors import ObjectGoneError, PlaceRefusedError
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import NO_BUCKET, REQUEST_ID, UNKNOWN_ID

MINE, OTHERS = REQUEST_ID, UNKNOWN_ID
PLACE = Location(bucket="callers", key="team/today.out")
CLOSED = Location(bucket=NO_BUCKET, key="today.out")


@pytest.mark.spec("sagemaker", 2)
def test_a_result_lies_where_it_was_promised(ports: Ports) -> None:
    stored = ports.results.put_result(MINE, b"42", "text/csv", place=PLACE, http_status=206)

    assert stored.uri == "s3://callers/team/today.out"
    assert (stored.content_type, stored.size_bytes, stored.http_status) == ("text/csv", 2, 206)
    assert ports.results.read(stored) == b"42"
    assert ports.results.find_result(MINE, PLACE) == stored
    assert ports.results.find_result(MINE) is None


def test_a_store_names_the_bucket_in_which_its_own_places_lie(ports: Ports) -> None:
    assert ports.results.put_result(MINE, b"42", "text/csv").bucket == ports.results.bucket
    assert ports.payloads.put(MINE, b"42", "text/csv").bucket == ports.payloads.bucket


@pytest.mark.parametrize("place", [PLACE, None])
def test_what_an_attempt_left_is_adopted_with_its_status(
    ports: Ports, place: Location | None
) -> None:
    left = ports.results.put_result(MINE, b"42", "text/csv", place=place, http_status=206)
    again = ports.results.put_result(MINE, b"of a zombie", "text/plain", place=place)
    assert again == left == ports.results.find_result(MINE, place)
    assert ports.results.read(left) == b"42"


def test_what_another_request_left_at_a_promised_place_is_replaced(ports: Ports) -> None:
    ports.results.put_result(OTHERS, b"older", "text/plain", place=PLACE)
    assert ports.results.find_result(MINE, PLACE) is None
    stored = ports.results.put_result(MINE, b"newer", "text/plain", place=PLACE)

    assert ports.results.read(stored) == b"newer"
    assert ports.results.find_result(OTHERS, PLACE) is None


def test_a_failure_document_may_be_the_models_own(ports: Ports) -> None:
    stored = ports.results.put_failure(
        MINE, b"no such voice", "text/plain", place=PLACE, http_status=422
    )
    assert (stored.uri, stored.http_status) == (PLACE.uri, 422)
    assert ports.results.put_failure(MINE, b"{}", place=PLACE) == stored
    ports.results.drop_failure(MINE, PLACE, up_to_attempt=0)
    with pytest.raises(ObjectGoneError, match=PLACE.uri):
        ports.results.read(stored)


@pytest.mark.parametrize("size", [0, 3, 9 * 1024 * 1024])
def test_a_result_is_stored_from_a_file_of_any_size(ports: Ports, size: int) -> None:
    body = bytes(size - 1) + b"!" if size else b""
    file = BytesIO(body)
    file.seek(size // 2)
    stored = ports.results.put_result(MINE, file, "video/mp4", http_status=200)

    assert (stored.size_bytes, stored.content_type) == (size, "video/mp4")
    assert ports.results.read(stored) == body
    assert ports.results.find_result(MINE) == stored
    assert ports.results.put_result(MINE, BytesIO(bytes(size)), "video/mp4") == stored
    assert ports.results.read(stored) == body


def test_a_large_file_replaces_anothers_and_adopts_its_own(ports: Ports) -> None:
    large = bytes(9 * 1024 * 1024)
    ports.results.put_result(OTHERS, BytesIO(large + b"o"), "video/mp4", place=PLACE)
    stored = ports.results.put_result(MINE, BytesIO(large), "video/mp4", place=PLACE)
    assert stored.size_bytes == len(large)
    again = ports.results.put_result(MINE, BytesIO(large + b"z"), "video/mp4", place=PLACE)
    assert again == stored
    assert ports.results.find_result(OTHERS, PLACE) is None


def test_a_place_without_a_bucket_refuses(ports: Ports) -> None:
    for step in (
        lambda: ports.results.put_result(MINE, b"42", "text/csv", place=CLOSED),
        lambda: ports.results.put_failure(MINE, b"{}", place=CLOSED),
        lambda: ports.results.drop_failure(MINE, CLOSED, up_to_attempt=1),
    ):
        with pytest.raises(PlaceRefusedError, match=CLOSED.uri):
            step()


def test_what_has_gone_is_not_read(ports: Ports) -> None:
    gone = StoredObject(bucket="results", key="results/gone", size_bytes=1)
    with pytest.raises(ObjectGoneError, match="s3://results/results/gone has gone"):
        ports.results.read(gone)
