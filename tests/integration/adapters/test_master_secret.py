"""The master secret of access keys as Secrets Manager keeps it."""

import pytest

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.master_secret import SecretsManagerMasterSecret
from penstock.adapters.in_memory import FakeClock
from penstock.contracts.errors import SettingsError

pytestmark = pytest.mark.integration


@pytest.fixture
def master_secret(aws: FakeClock) -> SecretsManagerMasterSecret:
    """Return the master secret of a stack as infra makes it: 43 letters and digits."""
    client("secretsmanager").create_secret(Name="m", SecretString="a" * 43)
    return SecretsManagerMasterSecret("m", client("secretsmanager"), aws)


def test_it_is_the_text_of_the_secret_kept_for_five_minutes(
    master_secret: SecretsManagerMasterSecret, aws: FakeClock
) -> None:
    assert master_secret() == b"a" * 43
    client("secretsmanager").put_secret_value(SecretId="m", SecretString="b" * 43)
    aws.advance(299)
    assert master_secret() == b"a" * 43
    aws.advance(1)
    assert master_secret() == b"b" * 43


def test_it_is_read_when_it_is_first_needed(aws: FakeClock) -> None:
    absent = SecretsManagerMasterSecret("absent", client("secretsmanager"), aws)
    with pytest.raises(SettingsError, match="absent has no value"):
        absent()


def test_a_short_one_is_refused_without_being_shown(
    master_secret: SecretsManagerMasterSecret,
) -> None:
    client("secretsmanager").put_secret_value(SecretId="m", SecretString="guess me")
    with pytest.raises(SettingsError, match="at least 32 characters") as refused:
        master_secret()
    assert "guess" not in str(refused.value)
