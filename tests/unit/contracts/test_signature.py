"""The signature that carries its time."""

import hashlib
import hmac

import pytest

from penstock.contracts.http.signature import is_signed, signed_at, timestamped_signature

BODY = b'{"data":"\xc3\xa9"}'
NEW, OLD = "whsec_new", "whsec_old"
SIGNED = timestamped_signature(BODY, 1_767_323_045, [NEW, OLD])


def test_it_is_made_over_the_time_a_dot_and_the_body_with_every_secret() -> None:
    def by_hand(secret: str) -> str:
        return hmac.new(secret.encode(), b"1767323045." + BODY, hashlib.sha256).hexdigest()

    assert f"t=1767323045,v1={by_hand(NEW)},v1={by_hand(OLD)}" == SIGNED


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_either_secret_proves_the_time(secret: str) -> None:
    assert signed_at(BODY, SIGNED, [secret]) == 1_767_323_045


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1767323045",
        "t=1767323045,",
        "t=1767323045,v1=",
        SIGNED.replace("t=1767323045", "t=1767323046"),
        SIGNED.replace("t=1767323045", "t=-1767323045"),
        SIGNED.replace("t=1767323045", "t=1767323045.0"),
        SIGNED.replace("t=1767323045", "t=\u0661767323045"),
        SIGNED.partition(",")[2],
        SIGNED.replace("t=", "x="),
        f"t=1,{SIGNED}",
    ],
)
def test_anything_else_proves_nothing(header: str | None) -> None:
    assert signed_at(BODY, header, [NEW, OLD]) is None


def test_another_body_or_secret_proves_nothing() -> None:
    assert signed_at(BODY + b" ", SIGNED, [NEW]) is None
    assert signed_at(BODY, SIGNED, ["whsec_another"]) is None
    assert signed_at(BODY, SIGNED, []) is None


def test_the_two_signatures_cannot_stand_for_each_other() -> None:
    assert not is_signed(BODY, SIGNED, [NEW, OLD])


def test_a_signature_of_any_characters_is_only_wrong() -> None:
    assert not is_signed(BODY, "v1=é漢", [NEW])
