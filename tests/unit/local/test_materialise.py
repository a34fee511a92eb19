from typing import Any
from unittest.mock import MagicMock

import pytest

from penstock.local.emulated_aws import EmulatedAws
from penstock.local.materialise.dispatch import answer_invoke, materialise
from penstock.local.materialise.registration import MaterialiseError, Registration


@pytest.fixture
def aws() -> MagicMock:
    aws = MagicMock(spec=EmulatedAws, region="us-east-1")
    for service in ("apigateway", "dynamodb", "iam", "lambda_", "s3", "sns", "sqs"):
        setattr(aws, service, MagicMock())
    aws.sqs.create_queue.return_value = {"QueueUrl": "http://queue"}
    aws.sqs.get_queue_attributes.return_value = {"Attributes": {"QueueArn": "arn:queue"}}
    return aws


def queue(**inputs: Any) -> Registration:
    return Registration("aws:sqs/queue:Queue", "p0", inputs)


def test_a_queue_is_made_with_what_it_declares(aws: MagicMock) -> None:
    made = materialise(aws, queue(visibilityTimeoutSeconds=30, redrivePolicy='{"a": 1}'))

    assert made.outputs["url"] == "http://queue"
    assert made.outputs["arn"] == "arn:queue"
    aws.sqs.create_queue.assert_called_once_with(
        QueueName="p0", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": '{"a": 1}'}
    )


def test_an_unknown_type_is_refused_by_name(aws: MagicMock) -> None:
    with pytest.raises(MaterialiseError, match="aws:ec2/vpc:Vpc 'main'"):
        materialise(aws, Registration("aws:ec2/vpc:Vpc", "main", {}))


def test_an_input_that_nobody_reads_is_refused_by_name(aws: MagicMock) -> None:
    with pytest.raises(MaterialiseError, match=r"Queue 'p0'.* fifoQueue"):
        materialise(aws, queue(fifoQueue=True))


def test_a_missing_input_is_named(aws: MagicMock) -> None:
    resource = Registration("aws:sns/topicSubscription:TopicSubscription", "to-webhooks", {})
    with pytest.raises(MaterialiseError, match="'to-webhooks': input topic is missing"):
        materialise(aws, resource)


def test_a_type_without_effect_is_handed_back(aws: MagicMock) -> None:
    inputs = {"bucket": "results"}
    type_ = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"

    assert materialise(aws, Registration(type_, "owned", inputs)).outputs == inputs


def test_an_unknown_call_is_refused_by_name(aws: MagicMock) -> None:
    with pytest.raises(MaterialiseError, match="getVpc"):
        answer_invoke(aws, "aws:ec2/getVpc:getVpc", {})


def test_an_image_is_known_by_a_digest(aws: MagicMock) -> None:
    inputs = {"context": {"location": "/context"}}
    made = materialise(aws, Registration("docker-build:index:Image", "echo-server", inputs))

    assert made.outputs["digest"].startswith("sha256:")
    assert made.outputs["context"] == {"location": "/context"}
