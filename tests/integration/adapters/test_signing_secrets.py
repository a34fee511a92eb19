"""Signing secrets as Secrets Manager keeps them."""

import json
from datetime import timedelta

import pytest

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.adapters.in_memory import FakeClock
from penstock.contracts.http.signing_secrets import SigningSecretSet

pytestmark = pytest.mark.integration


@pytest.fixture
def secrets(aws: FakeClock) -> SecretsManagerSigningSecrets:
    """Return the secrets of a stack as infra makes them."""
    client("secretsmanager").create_secret(Name="s", SecretString='{"secrets": ["first"]}')
    return SecretsManagerSigningSecrets("s", client("secretsmanager"), aws)


def test_a_rotation_is_signed_with_at_once_by_who_made_it(
    secrets: SecretsManagerSigningSecrets, aws: FakeClock
) -> None:
    assert secrets.active() == ["first"]
    secrets.write(secrets.read().rotated("second", aws(), timedelta(hours=24)))
    assert secrets.active() == ["second", "first"]


def test_a_secret_ends_at_its_time_without_being_read_again(
    secrets: SecretsManagerSigningSecrets, aws: FakeClock
) -> None:
    secrets.write(secrets.read().rotated("second", aws(), timedelta(seconds=30)))
    assert secrets.active() == ["second", "first"]
    aws.advance(30)
    assert secrets.active() == ["second"]


def test_what_is_written_says_no_more_than_it_must(
    secrets: SecretsManagerSigningSecrets, aws: FakeClock
) -> None:
    secrets.write(SigningSecretSet(secrets=()).rotated("only", aws(), timedelta(hours=1)))
    stored = client("secretsmanager").get_secret_value(SecretId="s")["SecretString"]
    assert json.loads(stored) == {"secrets": [{"secret": "only"}]}
