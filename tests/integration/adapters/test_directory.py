"""Models, keys and signing secrets, whatever the family."""

from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.request import Tenant
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import A_CHAIN, A_MODEL, SIGNING_SECRETS, at


def a_key(ports: Ports, tenant: str = "acme") -> ApiKey:
    key, _ = ApiKey.issue(
        Tenant(tenant), ports.clock(), name="laptop", expires_at=at(ports.clock(), 3600.5)
    )
    return key


def test_a_model_is_found_by_its_id(ports: Ports) -> None:
    assert ports.catalog.find_model("ocr") == A_MODEL
    assert ports.catalog.find_model("nothing") is None


def test_a_key_is_found_by_its_prefix(ports: Ports) -> None:
    key = a_key(ports)
    ports.api_keys.put(key)
    assert ports.api_keys.find(key.prefix) == key
    assert ports.api_keys.find("unknown") is None


def test_a_key_may_have_neither_name_nor_end(ports: Ports) -> None:
    key, _ = ApiKey.issue(Tenant("acme"), ports.clock())
    ports.api_keys.put(key)
    assert ports.api_keys.find(key.prefix) == key


def test_keys_are_listed_oldest_first(ports: Ports) -> None:
    keys = []
    for number in range(5):
        ports.clock.advance(1)
        keys.append(a_key(ports, f"tenant-{number}"))
    for key in reversed(keys):
        ports.api_keys.put(key)
    assert list(ports.api_keys.all()) == keys


def test_a_revoked_key_says_since_when(ports: Ports) -> None:
    key = a_key(ports)
    ports.api_keys.put(key)
    ports.clock.advance(1.5)

    assert ports.api_keys.revoke(key.prefix, ports.clock())
    revoked = key.model_copy(update={"revoked_at": ports.clock()})
    assert ports.api_keys.find(key.prefix) == revoked


def test_an_unknown_key_cannot_be_revoked(ports: Ports) -> None:
    assert not ports.api_keys.revoke("unknown", ports.clock())
    assert ports.api_keys.find("unknown") is None


def test_signing_secrets_come_newest_first(ports: Ports) -> None:
    assert list(ports.signing_secrets.active()) == SIGNING_SECRETS


def test_a_chain_is_found_by_its_name(ports: Ports) -> None:
    assert ports.catalog.find_model("chain:pages") == A_CHAIN


def test_every_model_is_listed_and_no_other_name_of_it(ports: Ports) -> None:
    assert list(ports.catalog.all_models()) == [A_MODEL]
