"""Sending inputs of any size to S3."""

from pathlib import Path

import httpx
import pytest

from penstock.client import BadRequestError, ServiceError
from penstock.client.calls.uploads import async_put_request, put_request
from penstock.contracts.http.native import UploadPlace
from tests.unit.client.api import KEY, accepted, open_api, open_async_api

PLACE = UploadPlace(
    url="https://payloads.s3.example.com/uploads/acme/0f1e?X-Amz-Signature=abc",
    method="PUT",
    headers={"Content-Type": "image/png", "If-None-Match": "*"},
    location="s3://payloads/uploads/acme/0f1e",
    expires_in_seconds=3600,
)
PREPARED = httpx.Response(201, content=PLACE.model_dump_json())
STORED = httpx.Response(200)
THERE_ALREADY = httpx.Response(412)
TOO_LARGE = httpx.Response(
    400,
    text="""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>EntityTooLarge</Code>
<Message>Your proposed upload exceeds the maximum allowed size</Message></Error>""",
)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    file = tmp_path / "scan.png"
    file.write_bytes(b"\x89PNG" * 1_000_000)
    return file


def test_an_upload_goes_to_s3_and_its_place_into_a_submission(scan: Path) -> None:
    client, api = open_api(PREPARED, STORED, accepted())

    location = client.upload(scan, "image/png")
    client.submit("ocr", None, input_location=location)

    asked, put, submitted = api.asked
    assert asked.content == b'{"content_type":"image/png"}'
    assert (put.method, put.url.host) == ("PUT", "payloads.s3.example.com")
    assert put.headers["content-type"] == "image/png"
    assert put.headers["if-none-match"] == "*"
    assert submitted.content == b'{"model_input_location":"%s"}' % PLACE.location.encode()


def test_the_key_is_not_for_s3(scan: Path) -> None:
    client, api = open_api(PREPARED, STORED)

    client.upload(scan)

    assert "authorization" not in api.asked[1].headers
    assert KEY not in str(api.asked[1].headers)


def test_a_file_is_sent_piece_by_piece_with_its_length_said_before(scan: Path) -> None:
    put = put_request(PLACE, scan)

    assert isinstance(put.stream, httpx.SyncByteStream)
    assert max(map(len, put.stream)) <= 1024**2
    assert put.headers["content-length"] == "4000000"
    # S3 refuses a body of unknown length.
    assert "transfer-encoding" not in put.headers


async def test_an_event_loop_sends_it_the_same_way(scan: Path) -> None:
    put = async_put_request(PLACE, scan)

    assert isinstance(put.stream, httpx.AsyncByteStream)
    pieces = [piece async for piece in put.stream]
    assert max(map(len, pieces)) <= 1024**2
    assert b"".join(pieces) == scan.read_bytes()
    assert put.headers["content-length"] == "4000000"
    assert "transfer-encoding" not in put.headers


@pytest.mark.parametrize("content", [b"", b"abc"])
def test_bytes_are_sent_as_they_are(content: bytes) -> None:
    client, api = open_api(PREPARED, STORED)

    assert client.upload(content) == PLACE.location
    assert api.asked[1].content == content
    assert api.asked[1].headers["content-length"] == str(len(content))


@pytest.mark.usefixtures("pauses")
def test_an_upload_that_broke_off_is_begun_anew(scan: Path) -> None:
    client, api = open_api(PREPARED, httpx.WriteError("broken pipe"), STORED)

    client.upload(scan)

    assert api.asked[1].url == api.asked[2].url
    assert api.asked[2].content == scan.read_bytes()


@pytest.mark.usefixtures("pauses")
def test_an_upload_whose_answer_was_lost_is_there_already(scan: Path) -> None:
    client, api = open_api(PREPARED, httpx.ReadError("reset"), THERE_ALREADY)

    assert client.upload(scan) == PLACE.location
    assert len(api.asked) == 3


def test_a_refusal_of_s3_is_told_in_its_words(scan: Path) -> None:
    client, api = open_api(PREPARED, TOO_LARGE)

    with pytest.raises(BadRequestError, match="exceeds the maximum allowed size"):
        client.upload(scan)

    assert len(api.asked) == 2


@pytest.mark.usefixtures("pauses")
def test_uploads_are_not_repeated_for_ever(scan: Path) -> None:
    client, api = open_api(PREPARED, httpx.Response(503), max_attempts=3)

    with pytest.raises(ServiceError):
        client.upload(scan)

    assert len(api.asked) == 4


@pytest.mark.usefixtures("pauses")
async def test_the_asynchronous_client_uploads_by_the_same_rules(scan: Path) -> None:
    client, api = open_async_api(PREPARED, httpx.ReadError("reset"), THERE_ALREADY)

    async with client:
        assert await client.upload(scan, "image/png") == PLACE.location

    assert api.asked[1].content == api.asked[2].content == scan.read_bytes()
    assert KEY not in str(api.asked[1].headers)


async def test_the_asynchronous_client_tells_a_refusal_of_s3(scan: Path) -> None:
    client, _ = open_async_api(PREPARED, TOO_LARGE)

    async with client:
        with pytest.raises(BadRequestError):
            await client.upload(scan)
