"""Which buckets and topics of callers may be named, and how."""

from typing import Any

import pytest

from infra.settings.model_settings import DeploymentSettings
from infra.settings.models.caller_places import SageMakerSettings
from penstock.contracts.directory.catalog import SageMakerOutput
from penstock.contracts.errors import SettingsError

TOPIC = "arn:aws:sns:eu-west-1:123456789012:done"


def _complaint(**values: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        SageMakerSettings.checked(values, root="sagemaker")
    return str(refused.value)


def test_the_catalog_knows_every_one_of_them() -> None:
    assert set(SageMakerSettings.model_fields) == set(SageMakerOutput.model_fields)


@pytest.mark.parametrize(
    "folder",
    [
        "s3://bu",
        "s3://Bucket/a",
        "https://bucket.s3.amazonaws.com/a",
        "bucket/a",
        "s3://bucket//a",
        "s3://bucket/../a",
        "s3://bucket/a\tb",
        # Callers read the place in a header.
        "s3://bucket/ü",
        # In the policy of a role each of these has four characters.
        "s3://bucket/" + "*" * 126,
    ],
)
@pytest.mark.parametrize("key", ["output_path", "failure_path"])
def test_a_folder_that_is_none_is_refused(key: str, folder: str) -> None:
    assert _complaint(**{key: folder}).startswith(f"sagemaker.{key}: ")


@pytest.mark.parametrize(
    "folder",
    ["day=1/a+b", "a b", "12:30@x,y;z", "!-_.*'()", "a?b#c", "${aws:username}", "&$<>[]{}|^~`%20"],
)
def test_a_folder_may_have_any_character_of_ascii(folder: str) -> None:
    uri = f"s3://bucket/{folder}"
    assert SageMakerSettings.checked({"output_path": uri}).output_path == uri


@pytest.mark.parametrize("folder", ["s3://bucket", "s3://bucket/", "s3://bu.ck-et/a/b_c/"])
def test_a_folder_loses_its_last_slash(folder: str) -> None:
    assert SageMakerSettings.checked({"output_path": folder}).output_path == folder.rstrip("/")


@pytest.mark.parametrize("topic", ["done", TOPIC + "/a", TOPIC.replace(":sns:", ":sqs:")])
@pytest.mark.parametrize("key", ["success_topic", "error_topic"])
def test_a_topic_is_an_arn_of_sns(key: str, topic: str) -> None:
    assert _complaint(**{key: topic}).startswith(f"sagemaker.{key}: ")


@pytest.mark.parametrize("kind", ["success", "error"])
def test_a_response_travels_only_where_there_is_a_topic(kind: str) -> None:
    expected = f"sagemaker: include_response_in: there is no {kind}_topic"

    assert _complaint(include_response_in=[kind]) == expected
    given = {"include_response_in": [kind], f"{kind}_topic": TOPIC}
    assert SageMakerSettings.checked(given).include_response_in == (kind,)


@pytest.mark.parametrize("buckets", [["Bucket"], ["s3://bucket"], ["*"], ["bucket"] * 21])
def test_input_buckets_are_some_names(buckets: list[str]) -> None:
    values = {"truss": "t", "instance": "CPU:1x2", "input_buckets": buckets}

    with pytest.raises(SettingsError, match=r"deployment\.input_buckets"):
        DeploymentSettings.checked(values, root="deployment")
