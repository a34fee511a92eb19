"""No key of Truss's config.yaml is passed over: each is followed, noted or refused."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.artifacts.model_image import TRUSS_VERSION
from infra.artifacts.truss.config_keys import FORMER_KEYS, KEYS
from infra.artifacts.truss.treatment import Key, Place
from infra.artifacts.workspace import run, uv

pytestmark = pytest.mark.bundle


@pytest.fixture(scope="module")
def keys_of_truss() -> frozenset[str]:
    """Return those of the very version that images are built with."""
    python = ("tool", "run", "--from", f"truss=={TRUSS_VERSION}", "python", "-W", "ignore")
    script = Path(__file__).with_name("truss_keys.py")
    return frozenset(json.loads(run("reading Truss's keys", uv(*python, str(script)))))


def treatments(path: str, keys: Mapping[str, Key]) -> list[Key]:
    """Return what is said of a key: by its own entry, or by that of a whole block above it."""
    names = path.split(".")
    above = (".".join(names[:length]) for length in range(1, len(names)))
    wholes = [keys[name] for name in above if name in keys and keys[name].is_whole]
    return wholes[:1] or [keys[path]] if path in keys or wholes else []


def is_block(path: str, keys: Mapping[str, Key]) -> bool:
    return any(known.startswith(f"{path}.") for known in keys)


@pytest.mark.parametrize("place", ["image", "laptop"])
def test_each_key_of_truss_is_followed_noted_or_refused(
    place: Place, keys_of_truss: frozenset[str]
) -> None:
    keys = KEYS[place]
    unknown = {
        path for path in keys_of_truss if not treatments(path, keys) and not is_block(path, keys)
    }
    assert unknown == set(), "say in infra/artifacts/truss/config_keys.py what becomes of them"
    blocks_with_values = {path for path in keys_of_truss if path in keys and is_block(path, keys)}
    assert all(keys[path].is_whole for path in blocks_with_values)


@pytest.mark.parametrize("place", ["image", "laptop"])
def test_what_is_said_of_a_key_is_said_of_one_that_truss_has(
    place: Place, keys_of_truss: frozenset[str]
) -> None:
    assert KEYS[place].keys() - keys_of_truss == set()
    assert not FORMER_KEYS.keys() & keys_of_truss
    assert set(FORMER_KEYS.values()) <= KEYS[place].keys()
