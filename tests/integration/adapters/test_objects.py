"""Payloads and results, whatever the family."""

import re

import pytest

from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import REQUEST_ID, UNKNOWN_ID

PNG = b"\x89PNG\xff"


def test_a_payload_is_read_back(ports: Ports) -> None:
    stored = ports.payloads.put(REQUEST_ID, PNG, "image/png")

    assert re.fullmatch(rf"s3://payloads/payloads/{REQUEST_ID}/[0-9a-f]{{16}}", stored.uri)
    assert (stored.content_type, stored.size_bytes) == ("image/png", 5)
    assert ports.payloads.read(stored) == PNG


def test_a_repeated_payload_is_found(ports: Ports) -> None:
    first = ports.payloads.put(REQUEST_ID, PNG, "image/png")
    assert ports.payloads.put(REQUEST_ID, PNG, "image/png") == first


@pytest.mark.parametrize("other", [(b"another", "image/png"), (PNG, "text/plain")])
def test_another_payload_of_the_same_request_replaces_nothing(
    ports: Ports, other: tuple[bytes, str]
) -> None:
    first = ports.payloads.put(REQUEST_ID, PNG, "image/png")
    second = ports.payloads.put(REQUEST_ID, *other)
    assert second.key != first.key
    assert ports.payloads.read(first) == PNG
    assert (ports.payloads.read(second), second.content_type) == other


def test_a_result_keeps_the_content_type_of_the_model(ports: Ports) -> None:
    stored = ports.results.put_result(REQUEST_ID, PNG, "image/png")

    assert stored.uri == f"s3://results/results/{REQUEST_ID}"
    assert (stored.content_type, stored.size_bytes) == ("image/png", 5)
    assert ports.results.read(stored) == PNG
    assert ports.results.find_result(REQUEST_ID) == stored


def test_a_zombie_adopts_the_result_that_lies_there(ports: Ports) -> None:
    first = ports.results.put_result(REQUEST_ID, PNG, "image/png")
    assert ports.results.put_result(REQUEST_ID, b"of a zombie", "text/plain") == first
    assert ports.results.read(first) == PNG


def test_an_empty_result_is_a_result(ports: Ports) -> None:
    stored = ports.results.put_result(REQUEST_ID, b"", "application/json")
    assert stored.size_bytes == 0
    assert ports.results.read(stored) == b""


def test_a_failure_document_is_json_and_written_once(ports: Ports) -> None:
    first = ports.results.put_failure(REQUEST_ID, b'{"errors": []}')

    assert first.uri == f"s3://results/failures/{REQUEST_ID}"
    assert first.content_type == "application/json"
    assert ports.results.put_failure(REQUEST_ID, b"{}") == first
    assert ports.results.read(first) == b'{"errors": []}'


def test_a_dropped_failure_document_makes_room_for_the_next(ports: Ports) -> None:
    ports.results.drop_failure(REQUEST_ID, up_to_attempt=0)
    ports.results.put_failure(REQUEST_ID, b'{"first": 1}')
    ports.results.put_result(REQUEST_ID, PNG, "image/png")
    ports.results.drop_failure(REQUEST_ID, up_to_attempt=0)
    ports.results.drop_failure(REQUEST_ID, up_to_attempt=0)

    second = ports.results.put_failure(REQUEST_ID, b"{}")
    assert ports.results.read(second) == b"{}"
    assert ports.results.find_result(REQUEST_ID)


def test_a_failure_document_is_no_result(ports: Ports) -> None:
    ports.results.put_failure(REQUEST_ID, b"{}")
    assert ports.results.find_result(REQUEST_ID) is None
    assert ports.results.find_result(UNKNOWN_ID) is None


def test_a_result_has_a_url(ports: Ports) -> None:
    stored = ports.results.put_result(REQUEST_ID, PNG, "image/png")
    url = ports.results.url(stored, 900)
    assert url.startswith("https://")
    assert f"results/{REQUEST_ID}" in url
    assert "900" in url
