"""Ids of requests say which model they are for."""

import hashlib
import re

import pytest

from penstock.contracts.request import Tenant
from penstock.contracts.request_id import (
    as_uuid,
    fresh_request_id,
    model_fingerprint,
    read_request_id,
    repeated_request_id,
)

ACME = Tenant("acme")


def test_a_fingerprint_is_the_first_eight_digits_of_the_models_sha256() -> None:
    assert model_fingerprint("ocr") == hashlib.sha256(b"ocr").hexdigest()[:8]


@pytest.mark.parametrize(
    "request_id", [fresh_request_id("ocr"), repeated_request_id("ocr", ACME, "k")]
)
def test_every_id_begins_with_its_models_fingerprint(request_id: str) -> None:
    assert request_id.startswith(model_fingerprint("ocr"))
    assert re.fullmatch("[0-9a-f]{32}", request_id)


def test_fresh_ids_differ() -> None:
    assert len({fresh_request_id("ocr") for _ in range(100)}) == 100


def test_a_key_counts_for_one_tenant_at_one_model() -> None:
    ids = {
        repeated_request_id("ocr", ACME, "k"),
        repeated_request_id("asr", ACME, "k"),
        repeated_request_id("ocr", Tenant("other"), "k"),
        repeated_request_id("ocr", ACME, "k2"),
    }
    assert len({request_id[8:] for request_id in ids}) == 4


def test_where_a_name_ends_counts() -> None:
    assert repeated_request_id("ocr", Tenant("a"), "1:b") != repeated_request_id(
        "ocr", Tenant("a1:"), "b"
    )


def test_an_id_may_be_written_with_the_hyphens_of_a_uuid() -> None:
    request_id = fresh_request_id("ocr")
    assert as_uuid(request_id).count("-") == 4
    assert read_request_id(as_uuid(request_id)) == read_request_id(request_id) == request_id
    assert read_request_id("my-own-id") == "my-own-id"
