"""Inputs that callers put somewhere themselves."""

from io import BytesIO

import pytest

from penstock.contracts.errors import InputUnreadableError
from penstock.contracts.origin import InputLocation, Location
from penstock.contracts.request import Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import NO_BUCKET

ACME = Tenant("acme")
PAGE = InputLocation(bucket="callers", key="pages/1.png")
LONG = b"\x89PNG" * 600_000


def test_an_input_is_copied_with_the_type_of_its_object(ports: Ports) -> None:
    ports.place(PAGE, LONG, "image/png")
    into = BytesIO(b"before ")
    into.seek(0, 2)
    assert ports.payloads.fetch(PAGE, into, len(LONG)) == "image/png"
    assert into.getvalue() == b"before " + LONG


def test_what_the_caller_says_of_its_type_counts(ports: Ports) -> None:
    ports.place(PAGE, b"1", "binary/octet-stream")
    location = PAGE.model_copy(update={"content_type": "application/json"})
    assert ports.payloads.fetch(location, BytesIO(), 1) == "application/json"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (PAGE, "4 bytes are more than 3"),
        (PAGE.model_copy(update={"key": "pages/2.png"}), "there is no such object"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(
    ports: Ports, location: InputLocation, reason: str
) -> None:
    ports.place(PAGE, b"four", "image/png")
    into = BytesIO()
    with pytest.raises(InputUnreadableError, match=f"{location.uri} cannot be read: {reason}"):
        ports.payloads.fetch(location, into, 3)
    assert into.getvalue() == b""


def test_a_bucket_that_is_not_there_cannot_be_read(ports: Ports) -> None:
    location = InputLocation(bucket=NO_BUCKET, key="1.png")
    with pytest.raises(InputUnreadableError, match=location.uri):
        ports.payloads.fetch(location, BytesIO(), 3)


def test_an_upload_is_its_tenants_alone(ports: Ports) -> None:
    upload = ports.payloads.upload(ACME, "image/png", 900)
    other = ports.payloads.upload(ACME, "image/png", 900)

    assert upload.location.uri.startswith("s3://payloads/uploads/acme/")
    assert upload.location != other.location
    assert (upload.method, upload.expires_in_seconds) == ("PUT", 900)
    assert upload.headers == {"Content-Type": "image/png", "If-None-Match": "*"}
    assert ports.payloads.may_read(ACME, upload.location)
    elsewhere = upload.location.model_copy(update={"bucket": "callers"})
    payload = Location(bucket="payloads", key="payloads/0")
    climbing = [
        upload.location.model_copy(update={"key": f"uploads/acme/{way}"})
        for way in ("../evil/x", "./x", "a/..", "a/../../evil/x")
    ]
    for tenant, location in (
        (Tenant("acm"), upload.location),
        (Tenant("acme/x"), upload.location),
        (ACME, elsewhere),
        (ACME, payload),
        *((ACME, location) for location in climbing),
    ):
        assert not ports.payloads.may_read(tenant, location)


@pytest.mark.parametrize("tenant", [Tenant("org:acme/ü"), Tenant("../evil"), Tenant("a%2Fb")])
def test_no_name_of_a_tenant_leads_into_anothers_uploads(ports: Ports, tenant: Tenant) -> None:
    upload = ports.payloads.upload(tenant, "image/png", 900)
    assert upload.location.key.count("/") == 2
    assert ports.payloads.may_read(tenant, upload.location)
    ports.place(upload.location, b"1", "image/png")
    location = InputLocation(bucket=upload.location.bucket, key=upload.location.key)
    assert ports.payloads.fetch(location, BytesIO(), 1) == "image/png"
