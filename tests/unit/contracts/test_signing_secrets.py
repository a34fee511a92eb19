"""Secrets come, and go after a while."""

import string
from datetime import UTC, datetime, timedelta

import pytest

from penstock.contracts.http.signing_secrets import (
    SigningSecret,
    SigningSecretSet,
    new_signing_secret,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(hours=24)


def a_secret(text: str, expires_at: datetime | None = None) -> SigningSecret:
    return SigningSecret(secret=text, expires_at=expires_at)


def read(text: str) -> SigningSecretSet:
    return SigningSecretSet.model_validate_json(text)


@pytest.mark.spec("baseten", 28)
def test_plain_texts_are_secrets_that_do_not_expire() -> None:
    stored = read('{"secrets": ["new", {"secret": "old", "expires_at": "2026-01-02T00:00:01Z"}]}')
    assert stored.active(NOW) == ["new", "old"]
    assert stored.active(NOW + timedelta(seconds=1)) == ["new"]


@pytest.mark.spec("baseten", 28)
def test_a_rotation_keeps_the_old_secret_for_a_while() -> None:
    rotated = read('{"secrets": ["old"]}').rotated("new", NOW, DAY)
    assert rotated.secrets == (
        a_secret("new"),
        a_secret("old", NOW + DAY),
    )
    assert read(rotated.model_dump_json(exclude_none=True)) == rotated


def test_never_more_than_two_are_active() -> None:
    twice = read('{"secrets": ["oldest"]}').rotated("old", NOW, DAY).rotated("new", NOW, DAY)
    assert twice.active(NOW) == ["new", "old"]


def test_a_rotation_lengthens_no_life() -> None:
    old = a_secret("old", NOW + timedelta(hours=1))
    rotated = SigningSecretSet(secrets=(old,)).rotated("new", NOW, DAY)
    assert rotated.secrets[1] == old


def test_a_leaked_secret_can_end_at_once() -> None:
    assert read('{"secrets": ["leaked"]}').rotated("new", NOW, timedelta(0)).active(NOW) == ["new"]


def test_what_expired_is_not_kept() -> None:
    stored = SigningSecretSet(secrets=(a_secret("expired", NOW),))
    assert stored.rotated("new", NOW, DAY).secrets == (a_secret("new"),)


def test_secrets_are_long_random_and_not_shown_by_chance() -> None:
    first, second = new_signing_secret(), new_signing_secret()
    assert first != second
    assert len(first) == len("whsec_") + 43
    assert set(first.removeprefix("whsec_")) <= set(string.ascii_letters + string.digits)
    assert first not in repr(SigningSecretSet(secrets=(SigningSecret(secret=first),)))
