"""Access keys: derived, checked, never stored."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from penstock.contracts.directory.access_key import issue_access_key, secret_access_key
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.request import Tenant

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MASTER, OTHER = b"m" * 32, b"o" * 32


def test_a_key_looks_like_one_of_aws_and_cannot_be_taken_for_one() -> None:
    row, secret = issue_access_key(Tenant("acme"), NOW, MASTER)
    assert re.fullmatch(r"PNSK[A-Z2-7]{16}", row.prefix)
    assert re.fullmatch(r"[\w-]{40}", secret)
    assert secret not in row.model_dump_json()


def test_the_secret_follows_from_the_id_and_the_master_secret_alone() -> None:
    # A change of this derivation makes every issued key unknown.
    assert secret_access_key("PNSKAAAAAAAAAAAAAAAA", MASTER) == (
        "v9UKnnKmB-f9j2G3JCKp4za2qzM4gMfaKMkmPB_e"
    )
    row, secret = issue_access_key(Tenant("acme"), NOW, MASTER)
    assert secret_access_key(row.prefix, MASTER) == secret
    row.check(secret, NOW)


def test_no_two_keys_are_alike() -> None:
    made = [issue_access_key(Tenant("acme"), NOW, MASTER) for _ in range(50)]
    assert len({row.prefix for row, _ in made}) == len({secret for _, secret in made}) == 50


def test_a_key_of_another_master_secret_opens_nothing() -> None:
    row, _ = issue_access_key(Tenant("acme"), NOW, MASTER)
    with pytest.raises(UnauthorizedError):
        row.check(secret_access_key(row.prefix, OTHER), NOW)


def test_a_key_may_expire() -> None:
    expires_at = NOW + timedelta(days=1)
    row, secret = issue_access_key(Tenant("acme"), NOW, MASTER, name="ci", expires_at=expires_at)
    assert row.name == "ci"
    with pytest.raises(UnauthorizedError, match="expired"):
        row.check(secret, expires_at)
