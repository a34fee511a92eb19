"""What operators do with API keys on the command line."""

import json
from datetime import datetime, timedelta

import pytest

from penstock.contracts.directory.access_key import secret_access_key
from penstock.contracts.directory.api_key import credentials
from penstock.contracts.errors import UnauthorizedError
from penstock.contracts.ports.clock import utc_now
from tests.unit.cli.conftest import MASTER_SECRET, CommandLineOf


def test_a_created_key_opens_what_is_stored(penstock: CommandLineOf) -> None:
    run = penstock()

    done = run("keys", "create", "--tenant", "acme", "--name", "ci")

    prefix, secret = credentials(f"Bearer {done.stdout.strip()}")
    stored = run.connections.keys.find(prefix)
    assert stored is not None
    assert (stored.tenant, stored.name, stored.expires_at) == ("acme", "ci", None)
    stored.check(secret, utc_now())


def test_an_access_key_is_printed_as_variables_and_opens_what_is_stored(
    penstock: CommandLineOf,
) -> None:
    run = penstock()

    done = run("keys", "create", "--tenant", "acme", "--sigv4")

    exports = dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines())
    assert list(exports) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    access_key_id, secret = exports.values()
    assert secret == secret_access_key(access_key_id, MASTER_SECRET)
    stored = run.connections.keys.find(access_key_id)
    assert stored is not None
    assert stored.tenant == "acme"
    stored.check(secret, utc_now())
    assert 'endpoint_url="https://api.example.com/live"' in done.stderr
    assert secret not in done.stderr


def test_an_access_key_in_json_says_where_it_is_for(penstock: CommandLineOf) -> None:
    command = ("keys", "create", "--tenant", "acme", "--sigv4", "--expires-in", "1d", "--json")

    created = json.loads(penstock()(*command).stdout)

    assert created["access_key_id"] == created["prefix"]
    assert len(created["secret_access_key"]) == 40
    assert (created["endpoint_url"], created["region"], created["tenant"]) == (
        "https://api.example.com/live", "eu-central-1", "acme",
    )  # fmt: skip
    assert created["expires_at"] is not None
    assert "secret_sha256" not in created


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [("90d", timedelta(days=90)), ("12h", timedelta(hours=12)), ("30m", timedelta(minutes=30))],
)
def test_a_key_may_expire(penstock: CommandLineOf, text: str, lifetime: timedelta) -> None:
    done = penstock()("keys", "create", "--tenant", "acme", "--expires-in", text, "--json")

    created = json.loads(done.stdout)
    assert created["key"].startswith(created["prefix"] + ".")
    moments = [datetime.fromisoformat(created[name]) for name in ("created_at", "expires_at")]
    assert moments[1] - moments[0] == lifetime


@pytest.mark.parametrize("text", ["90", "0d", "d", "-1d", "soon"])
def test_a_lifetime_that_is_none_is_refused(penstock: CommandLineOf, text: str) -> None:
    run = penstock()

    done = run("keys", "create", "--tenant", "acme", "--expires-in", text)

    assert done.exit_code == 2
    assert "90d, 12h or 30m" in done.stderr
    assert run.connections.keys.all() == []


def test_listed_keys_show_neither_secret_nor_hash(penstock: CommandLineOf) -> None:
    run = penstock()
    key = run("keys", "create", "--tenant", "acme").stdout.strip()

    listed = json.loads(run("keys", "list", "--json").stdout)

    assert [entry["tenant"] for entry in listed] == ["acme"]
    assert set(listed[0]) == {
        "prefix", "tenant", "name", "created_at", "expires_at", "revoked_at",
    }  # fmt: skip
    assert key.partition(".")[2] not in run("keys", "list").stdout


def test_a_revoked_key_opens_nothing(penstock: CommandLineOf) -> None:
    run = penstock()
    prefix, _, secret = run("keys", "create", "--tenant", "acme").stdout.strip().partition(".")

    done = run("keys", "revoke", prefix, "--json")

    assert json.loads(done.stdout) == {"prefix": prefix, "revoked": True}
    stored = run.connections.keys.find(prefix)
    assert stored is not None
    with pytest.raises(UnauthorizedError, match="revoked"):
        stored.check(secret, utc_now())


def test_revoking_an_unknown_key_is_not_found(penstock: CommandLineOf) -> None:
    done = penstock()("keys", "revoke", "nosuch00")

    assert done.exit_code == 4
    assert "nosuch00" in done.stderr
