from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pulumi
import pytest

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.dispatch import materialise
from penstock.local.materialise.registration import MaterialiseError, Registration
from penstock.local.materialise.resources.functions import FUNCTION, await_started


@pytest.fixture
def aws() -> EmulatedAws:
    """Clients that answer for MiniStack."""
    aws = EmulatedAws("http://127.0.0.1:1", "us-east-1")
    for service in ("lambda_", "s3"):
        aws.__dict__[service] = MagicMock()
    lambda_(aws).create_function.return_value = {"FunctionArn": "arn:intake", "Version": "1"}
    return aws


def lambda_(aws: EmulatedAws) -> MagicMock:
    client: MagicMock = aws.__dict__["lambda_"]
    return client


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "functions-1.zip"
    path.write_bytes(b"zip")
    return path


def function(name: str, archive: Path, **inputs: Any) -> Registration:
    given = {
        "code": pulumi.FileArchive(str(archive)),
        "handler": "functions.intake.handler.handle",
        "role": "arn:role",
        "runtime": "python3.13",
        "publish": True,
    }
    return Registration(FUNCTION, name, {**given, **inputs})


def test_functions_share_one_copy_of_their_archive(aws: EmulatedAws, archive: Path) -> None:
    materialise(aws, function("intake", archive))
    materialise(aws, function("status", archive))

    where = {"S3Bucket": "penstock-local-code", "S3Key": "functions-1.zip"}
    calls = lambda_(aws).create_function.call_args_list
    assert [call.kwargs["Code"] for call in calls] == [where, where]
    aws.__dict__["s3"].put_object.assert_called_once_with(
        Bucket="penstock-local-code", Key="functions-1.zip", Body=b"zip"
    )


@pytest.mark.parametrize(
    ("declared", "made"),
    [({}, "None"), ({"snapStart": {"applyOn": "PublishedVersions"}}, "PublishedVersions")],
)
def test_a_function_starts_when_it_is_published_if_it_declares_so(
    aws: EmulatedAws, archive: Path, declared: dict[str, Any], made: str
) -> None:
    outputs = materialise(aws, function("intake", archive, **declared)).outputs

    assert outputs["version"] == "1"
    assert lambda_(aws).create_function.call_args.kwargs["SnapStart"] == {"ApplyOn": made}


STARTING = {"name": "intake", "version": "1", "snapStart": {"applyOn": "PublishedVersions"}}


def test_a_stack_waits_for_functions_that_are_starting(
    aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.local.materialise.resources.functions._LOOK_SECONDS", 0)
    asked = lambda_(aws).get_function_configuration
    asked.side_effect = [{"State": "Pending"}, {"State": "Pending"}, {"State": "Active"}]

    await_started(aws, [{"name": "sweeper", "version": "1"}, STARTING])

    asked.assert_called_with(FunctionName="intake", Qualifier="1")
    assert asked.call_count == 3


def test_a_function_that_does_not_start_stops_the_stack_with_the_reason(aws: EmulatedAws) -> None:
    lambda_(aws).get_function_configuration.return_value = {
        "State": "Failed",
        "StateReason": "no module named boto4",
    }
    with pytest.raises(MaterialiseError, match=r"intake does not start: no module named boto4"):
        await_started(aws, [STARTING])
