"""Where the SDK finds the API and its key."""

from pathlib import Path

import pytest

from penstock.client import NotConfiguredError
from penstock.client.endpoint import Endpoint
from penstock.contracts.errors import SettingsError
from penstock.contracts.stack.local_stack import LOCAL_STACK_FILE, LocalStack
from penstock.contracts.stack.stack_outputs import StackOutputs

ENVIRON = {"PENSTOCK_API_URL": "https://named.example.com/", "PENSTOCK_API_KEY": "n.key"}
LOCAL_URL = "http://127.0.0.1:4570"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder in which a local stack runs."""
    outputs = StackOutputs.model_validate(dict.fromkeys(StackOutputs.model_fields, "x"))
    stack = LocalStack(
        outputs=outputs,
        aws_endpoint_url="http://127.0.0.1:4566",
        api_key="l.key",
        front_url=LOCAL_URL,
    )
    file = tmp_path / LOCAL_STACK_FILE
    file.parent.mkdir(parents=True)
    file.write_text(stack.model_dump_json())
    return tmp_path


def test_what_is_given_comes_first(checkout: Path) -> None:
    found = Endpoint.find("https://given.example.com", "g.key", environ=ENVIRON, folder=checkout)

    assert found == Endpoint("https://given.example.com", "g.key")


def test_the_environment_comes_before_the_local_stack(checkout: Path) -> None:
    found = Endpoint.find(environ=ENVIRON, folder=checkout)

    assert found == Endpoint("https://named.example.com", "n.key")


def test_the_local_stack_is_found_from_a_folder_below(checkout: Path) -> None:
    below = checkout / "examples" / "demo"
    below.mkdir(parents=True)

    assert Endpoint.find(environ={}, folder=below) == Endpoint(LOCAL_URL, "l.key")


def test_another_key_may_be_used_with_the_local_stack(checkout: Path) -> None:
    found = Endpoint.find(environ={"PENSTOCK_API_KEY": "n.key"}, folder=checkout)

    assert found == Endpoint(LOCAL_URL, "n.key")


def test_the_local_key_is_never_sent_elsewhere(checkout: Path) -> None:
    with pytest.raises(NotConfiguredError, match="no API key for https://given"):
        Endpoint.find("https://given.example.com", environ={}, folder=checkout)


def test_without_an_api_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotConfiguredError, match=r"PENSTOCK_API_URL.*penstock local up"):
        Endpoint.find(environ={}, folder=tmp_path)


def test_an_address_without_a_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfiguredError, match=r"'api\.example\.com' is no API"):
        Endpoint.find("api.example.com", "g.key", environ={}, folder=tmp_path)


def test_a_broken_file_of_a_local_stack_is_named(checkout: Path) -> None:
    (checkout / LOCAL_STACK_FILE).write_text("{")

    with pytest.raises(SettingsError, match=r"stack\.json"):
        Endpoint.find(environ={}, folder=checkout)


def test_the_key_is_not_shown(checkout: Path) -> None:
    assert "l.key" not in repr(Endpoint.find(environ={}, folder=checkout))
