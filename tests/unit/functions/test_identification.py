"""Whose a call is that no authorizer saw."""

from dataclasses import replace
from datetime import timedelta

import pytest

from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.errors import UnauthorizedError
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.signature.refusals import (
    IncompleteSignatureError,
    InvalidSignatureError,
    MissingAuthenticationTokenError,
    UnrecognizedClientError,
)
from tests.unit.dialects.sagemaker.signing import received, signed_headers
from tests.unit.functions.intake.invocations import AccessKeys
from tests.unit.functions.world import ACME, World

URL = "https://api.example.com/endpoints/ocr/async-invocations"


@pytest.fixture
def keys(world: World) -> AccessKeys:
    return AccessKeys(world)


def signed_by(keys: AccessKeys, access_key_id: str, secret: str) -> HttpCall:
    now = keys.world.clock()
    sent = signed_headers(URL, b"{}", now=now, access_key_id=access_key_id, secret=secret)
    return received(URL, b"{}", sent)


def authorized(authorization: str | None) -> HttpCall:
    return received(URL, b"{}", {"authorization": authorization} if authorization else {})


def test_an_access_key_signs_for_its_tenant(keys: AccessKeys) -> None:
    assert keys.identification().tenant_of(signed_by(keys, *keys.issue())) == ACME


@pytest.mark.parametrize("scheme", ["Bearer", "Api-Key"])
def test_a_key_opens_here_too(keys: AccessKeys, scheme: str) -> None:
    row, text = ApiKey.issue(ACME, keys.world.clock())
    keys.store.put(row)
    identification = keys.identification()
    assert identification.tenant_of(authorized(f"{scheme} {text}")) == ACME
    with pytest.raises(UnauthorizedError, match="unknown API key"):
        identification.tenant_of(authorized(f"{scheme} {text}x"))


def test_a_wrong_secret_is_an_invalid_signature(keys: AccessKeys) -> None:
    access_key_id, _ = keys.issue()
    with pytest.raises(InvalidSignatureError):
        keys.identification().tenant_of(signed_by(keys, access_key_id, "wrong"))


def test_a_changed_body_is_an_invalid_signature(keys: AccessKeys) -> None:
    call = replace(signed_by(keys, *keys.issue()), body=b"[]")
    with pytest.raises(InvalidSignatureError):
        keys.identification().tenant_of(call)


def test_an_unknown_key_is_no_client(keys: AccessKeys) -> None:
    call = signed_by(keys, "AKIAUNKNOWNUNKNOWN00", keys.issue()[1])
    with pytest.raises(UnrecognizedClientError, match=r"security token .* is invalid\."):
        keys.identification().tenant_of(call)


def test_a_revoked_key_is_no_client(keys: AccessKeys) -> None:
    pair = keys.issue()
    keys.store.revoke(pair[0], keys.world.clock())
    with pytest.raises(UnrecognizedClientError):
        keys.identification().tenant_of(signed_by(keys, *pair))


def test_an_expired_key_is_no_client(keys: AccessKeys) -> None:
    access_key_id, secret = keys.issue()
    row = keys.store.find(access_key_id)
    assert row is not None
    expires_at = keys.world.clock() + timedelta(seconds=60)
    keys.store.put(row.model_copy(update={"expires_at": expires_at}))
    keys.identification().tenant_of(signed_by(keys, access_key_id, secret))

    keys.world.clock.advance(60)
    with pytest.raises(UnrecognizedClientError):
        keys.identification().tenant_of(signed_by(keys, access_key_id, secret))


def test_keys_of_a_master_secret_that_was_replaced_are_unknown(keys: AccessKeys) -> None:
    pair = keys.issue()
    keys.master_secret = b"another-secret-of-32-or-more-bytes"
    with pytest.raises(UnrecognizedClientError):
        keys.identification().tenant_of(signed_by(keys, *pair))


def test_an_ordinary_key_cannot_sign(keys: AccessKeys) -> None:
    row, text = ApiKey.issue(ACME, keys.world.clock())
    keys.store.put(row)
    with pytest.raises(UnrecognizedClientError):
        keys.identification().tenant_of(signed_by(keys, row.prefix, text.partition(".")[2]))


def test_a_signature_is_good_for_five_minutes(keys: AccessKeys) -> None:
    call = signed_by(keys, *keys.issue())
    keys.world.clock.advance(300)
    keys.identification().tenant_of(call)
    keys.world.clock.advance(1)
    with pytest.raises(InvalidSignatureError, match="Signature expired"):
        keys.identification().tenant_of(call)


@pytest.mark.parametrize(
    ("authorization", "refusal"),
    [
        (None, MissingAuthenticationTokenError),
        ("AWS4-HMAC-SHA256 nothing", IncompleteSignatureError),
        ("Basic YTpi", UnauthorizedError),
    ],
)
def test_what_proves_nothing_is_refused(
    keys: AccessKeys, authorization: str | None, refusal: type[UnauthorizedError]
) -> None:
    with pytest.raises(refusal):
        keys.identification().tenant_of(authorized(authorization))
