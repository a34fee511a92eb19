"""Which stack an operator's command works on."""

import json
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from penstock.cli.failures import AwsRefusedError
from penstock.cli.stack import Stack, aws_access
from penstock.contracts.errors import SettingsError
from penstock.contracts.stack.local_stack import LOCAL_STACK_FILE, LocalStack
from penstock.contracts.stack.stack_outputs import StackOutputs

OUTPUTS = StackOutputs.model_validate(dict.fromkeys(StackOutputs.model_fields, "eu-west-1"))
AWS_URL = "http://127.0.0.1:4566"


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `pulumi` on PATH that prints what is written beside it."""
    command = tmp_path / "pulumi"
    command.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n/bin/cat {tmp_path}/outputs ||'
        " { echo 'error: no stack named production found' >&2; exit 255; }\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_local_stack_is_the_default(tmp_path: Path) -> None:
    local = LocalStack(
        outputs=OUTPUTS, aws_endpoint_url=AWS_URL, api_key="l.key", front_url="http://127.0.0.1:1"
    )
    (tmp_path / LOCAL_STACK_FILE).parent.mkdir(parents=True)
    (tmp_path / LOCAL_STACK_FILE).write_text(local.model_dump_json())

    assert Stack.find(None, tmp_path) == Stack(OUTPUTS, AWS_URL)


def test_a_named_stack_is_asked_of_pulumi(pulumi: Path) -> None:
    (pulumi / "outputs").write_text(OUTPUTS.model_dump_json())

    assert Stack.find("production", pulumi) == Stack(OUTPUTS)
    asked = (pulumi / "asked").read_text().split()
    assert asked == ["stack", "output", "--json", "--stack", "production"]


def test_what_pulumi_says_is_passed_on(pulumi: Path) -> None:
    with pytest.raises(SettingsError, match="no stack named production"):
        Stack.find("production", pulumi)


def test_a_stack_of_something_else_is_told_by_what_it_lacks(pulumi: Path) -> None:
    outputs = OUTPUTS.model_dump(exclude={"api_keys_table"})
    (pulumi / "outputs").write_text(json.dumps(outputs))

    with pytest.raises(SettingsError, match="outputs lack api_keys_table"):
        Stack.find("production", pulumi)


def test_the_emulator_never_sees_the_users_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"AWS_PROFILE": "mine", "AWS_ACCESS_KEY_ID": "AKIAMINE"})

    Stack(OUTPUTS, AWS_URL).point_aws_clients_here()

    assert os.environ == {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": AWS_URL,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def test_a_stack_in_aws_is_reached_with_the_users_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", {"AWS_PROFILE": "mine"})

    Stack(OUTPUTS).point_aws_clients_here()

    assert os.environ == {"AWS_PROFILE": "mine", "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    "refusal",
    [
        NoCredentialsError(),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutItem"),
    ],
)
def test_a_refusal_of_aws_is_told_without_a_traceback(refusal: Exception) -> None:
    with pytest.raises(AwsRefusedError, match="AWS refused"), aws_access():
        raise refusal
