"""A laptop has the buckets and topics that its deployments name."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.settings.stack_settings import StackSettings
from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.caller_places import make_caller_places
from penstock.local.materialise.registration import MaterialiseError

TOPIC = "arn:aws:sns:us-east-1:000000000000:done"


def _settings(**named: Any) -> StackSettings:
    deployment = {"truss": "t", "instance": "CPU:1x2", **named}
    return StackSettings.checked(
        {
            "environment": "local",
            "region": "us-east-1",
            "cluster": {"name": "local", "kubeconfig_context": "local"},
            "models": {
                "a": {"deployments": {"v1": deployment}},
                "b": {"deployments": {"v1": deployment}},
            },
        }
    )


@pytest.fixture
def aws() -> MagicMock:
    aws = MagicMock(spec=EmulatedAws)
    aws.sns = MagicMock()
    aws.sns.create_topic.return_value = {"TopicArn": TOPIC}
    return aws


def test_each_place_is_made_once(aws: MagicMock) -> None:
    sagemaker = {
        "output_path": "s3://outgoing/done",
        "failure_path": "s3://outgoing/failed",
        "success_topic": TOPIC,
        "error_topic": TOPIC,
    }

    make_caller_places(aws, _settings(input_buckets=["incoming"], sagemaker=sagemaker))

    assert [call.args for call in aws.make_bucket.call_args_list] == [("incoming",), ("outgoing",)]
    aws.sns.create_topic.assert_called_once_with(Name="done")


def test_a_topic_of_elsewhere_is_refused_with_what_to_write(aws: MagicMock) -> None:
    elsewhere = TOPIC.replace("us-east-1", "eu-west-1")

    with pytest.raises(MaterialiseError, match=f"{elsewhere}: .* is {TOPIC}; write that"):
        make_caller_places(aws, _settings(sagemaker={"success_topic": elsewhere}))


@pytest.mark.parametrize(
    ("region", "given"),
    [
        ("us-east-1", {}),
        ("eu-west-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ],
)
def test_a_bucket_lies_in_the_stacks_region(region: str, given: dict[str, Any]) -> None:
    aws = EmulatedAws("http://127.0.0.1:1", region)
    s3 = aws.__dict__["s3"] = MagicMock()

    aws.make_bucket("incoming")

    s3.create_bucket.assert_called_once_with(Bucket="incoming", **given)
