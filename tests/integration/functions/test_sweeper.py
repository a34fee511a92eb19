"""The sweeper's entry point, wired as Lambda wires it, over AWS in this process."""

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.directory.catalog import Deployment, Model
from penstock.contracts.environments import SweeperEnvironment
from penstock.contracts.message import QueueMessage
from penstock.contracts.notification import Notification
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from penstock.contracts.submission import Submission
from tests.aws_variables import set_aws_variables
from tests.integration.adapters.conftest import create_tables

pytestmark = pytest.mark.integration


@dataclass
class Context:
    """What Lambda tells a function of itself."""

    remaining_milliseconds: int = 55_000
    function_name: str = "sweeper"
    memory_limit_in_mb: int = 512
    aws_request_id: str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:sweeper"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_milliseconds


@dataclass(frozen=True)
class Stack:
    """The sweeper, and what it looks after."""

    handle: Any
    requests: DynamoRequestStore
    dead_letter_queue_url: str
    inbox_url: str

    def accepted(self, seconds_ago: float, patience_seconds: int = 60) -> AsyncRequest:
        submission = Submission(
            tenant=Tenant("acme"), payload=b"1", max_time_in_queue_seconds=patience_seconds
        )
        row = submission.accepted("ocr", "v1", utc_now() - timedelta(seconds=seconds_ago))
        self.requests.accept(row)
        return row

    def state(self, row: AsyncRequest) -> RequestState | None:
        current = self.requests.find(row.request_id)
        return current.state if current else None

    def told(self) -> set[tuple[str, RequestState]]:
        """Return what subscribers of the topic `failed` were told."""
        messages = client("sqs").receive_message(QueueUrl=self.inbox_url, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"])["Message"] for message in messages["Messages"]]
        told = [Notification.model_validate_json(body) for body in bodies]
        return {(each.request_id, each.state) for each in told}


def _catalog(dead_letter_queue_url: str) -> None:
    sqs = client("sqs")
    p0, p1, p2 = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("p0", "p1", "p2"))
    deployment = Deployment(
        model_id="ocr",
        deployment_id="v1",
        queue_urls=(p0, p1, p2),
        dead_letter_queue_url=dead_letter_queue_url,
    )
    model = Model(model_id="ocr", environments={"production": "v1"}, deployments={"v1": deployment})
    client("dynamodb").put_item(
        TableName="catalog",
        Item={"model_id": {"S": "ocr"}, "model": {"S": model.model_dump_json()}},
    )


def _topics() -> tuple[str, str, str]:
    """Return both topics, and a queue that hears of failures."""
    sns, sqs = client("sns"), client("sqs")
    succeeded, failed = (sns.create_topic(Name=n)["TopicArn"] for n in ("succeeded", "failed"))
    inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=failed, Protocol="sqs", Endpoint=arn["QueueArn"])
    return succeeded, failed, inbox


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    set_aws_variables(monkeypatch)
    with mock_aws():
        forget_clients()
        create_tables()
        client("s3").create_bucket(
            Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        dead = client("sqs").create_queue(QueueName="dead")["QueueUrl"]
        _catalog(dead)
        succeeded, failed, inbox = _topics()
        variables = SweeperEnvironment.variables(
            catalog_table="catalog",
            requests_table="requests",
            results_bucket="results",
            succeeded_topic=succeeded,
            failed_topic=failed,
        )
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        handle = importlib.import_module("functions.sweeper.handler").handle
        requests = DynamoRequestStore("requests", client("dynamodb"))
        yield Stack(handle, requests, dead, inbox)
    del sys.modules["functions.sweeper.handler"]
    forget_clients()


def test_a_sweep_ends_what_nobody_else_will_end_and_tells(stack: Stack) -> None:
    late, lettered, waiting = stack.accepted(61), stack.accepted(901, 3_600), stack.accepted(1)
    client("sqs").send_message(
        QueueUrl=stack.dead_letter_queue_url,
        MessageBody=QueueMessage(request_id=lettered.request_id, text="1").encoded(),
    )
    stack.handle({}, Context())

    assert stack.told() == {
        (late.request_id, RequestState.EXPIRED),
        (lettered.request_id, RequestState.FAILED),
    }
    assert stack.state(waiting) is RequestState.QUEUED
    assert stack.requests.count_open(Tenant("acme"), 10) == 1
    counts = client("sqs").get_queue_attributes(
        QueueUrl=stack.dead_letter_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessages"] == "1"  # for everybody to see


def test_a_sweep_begins_nothing_that_lambda_would_cut_off(stack: Stack) -> None:
    late = stack.accepted(61)
    stack.handle({}, Context(remaining_milliseconds=9_000))
    assert stack.state(late) is RequestState.QUEUED
