"""Keys that open the API, and keys that do not."""

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest

from functions.authorizer.policy import create_authorizer
from functions.authorizer.service import AuthorizerService
from penstock.adapters.in_memory import InMemoryApiKeyStore
from penstock.contracts.directory.api_key import ApiKey
from penstock.contracts.errors import UnavailableError
from tests.unit.functions.events import authorizer_event
from tests.unit.functions.world import ACME, World


@pytest.fixture
def keys() -> InMemoryApiKeyStore:
    return InMemoryApiKeyStore()


def ask(world: World, keys: InMemoryApiKeyStore, **headers: str) -> dict[str, Any]:
    store = world.faults.around("keys", keys)
    service = AuthorizerService(keys=store, clock=world.clock)
    return create_authorizer(service, world.count)(authorizer_event(**headers))


def refused(world: World, keys: InMemoryApiKeyStore, **headers: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(world, keys, **headers)
    assert world.counted == {"CallersRefused": 1}


@pytest.mark.spec("baseten", 2)
@pytest.mark.parametrize("header", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "Api-Key", "api-key"])
def test_a_key_opens_the_whole_stage_for_its_tenant(
    world: World, keys: InMemoryApiKeyStore, header: str, scheme: str
) -> None:
    key, text = ApiKey.issue(ACME, world.clock())
    keys.put(key)

    answer = ask(world, keys, **{header: f"{scheme} {text}"})

    assert answer["principalId"] == key.prefix
    assert answer["context"] == {"tenant": "acme", "key_prefix": key.prefix}
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    api = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
    assert fnmatchcase(f"{api}/live/GET/async_request/r1", statement["Resource"])
    assert not fnmatchcase(f"{api}/other/GET/async_request/r1", statement["Resource"])


@pytest.mark.spec("baseten", 2)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer abc", "Basic YTpi", "Bearer .x"])
def test_anything_but_a_key_is_refused(
    world: World, keys: InMemoryApiKeyStore, header: str | None
) -> None:
    refused(world, keys, **({} if header is None else {"Authorization": header}))


def test_a_wrong_secret_and_an_unknown_prefix_look_the_same(
    world: World, keys: InMemoryApiKeyStore, log: pytest.LogCaptureFixture
) -> None:
    key, _ = ApiKey.issue(ACME, world.clock())
    keys.put(key)
    logged = []
    for authorization in (f"Bearer {key.prefix}.topsecret", "Bearer nobody00.topsecret"):
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            ask(world, keys, Authorization=authorization)
        logged.append(log.text)
        log.clear()

    assert all('"reason":"unknown API key"' in line for line in logged)
    assert not any("topsecret" in line for line in logged)


def test_the_stand_in_for_an_unknown_key_opens_for_no_secret(
    world: World, keys: InMemoryApiKeyStore
) -> None:
    refused(world, keys, Authorization=f"Bearer nobody00.{'0' * 64}")


def test_a_revoked_key_is_refused(world: World, keys: InMemoryApiKeyStore) -> None:
    key, text = ApiKey.issue(ACME, world.clock())
    keys.put(key)
    keys.revoke(key.prefix, world.clock())
    refused(world, keys, Authorization=f"Bearer {text}")


def test_a_key_is_refused_once_it_expired(world: World, keys: InMemoryApiKeyStore) -> None:
    expires_at = world.clock() + timedelta(seconds=10)
    key, text = ApiKey.issue(ACME, world.clock(), expires_at=expires_at)
    keys.put(key)
    assert ask(world, keys, Authorization=f"Bearer {text}")
    world.counted.clear()
    world.clock.advance(10)
    refused(world, keys, Authorization=f"Bearer {text}")


def test_a_store_that_fails_is_no_reason_to_call_a_key_wrong(
    world: World, keys: InMemoryApiKeyStore
) -> None:
    world.faults.fail("keys.find", UnavailableError("read an API key", "throttled"))
    with pytest.raises(UnavailableError):
        ask(world, keys, Authorization="Bearer abcdefgh.secret")
