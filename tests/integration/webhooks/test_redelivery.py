"""The commands' ports over AWS, wired as the command line wires them."""

import json
from collections.abc import Iterator

import pytest
from moto import mock_aws

from penstock.adapters.aws.clients import client, forget_clients
from penstock.adapters.aws.webhooks.webhook_queue import SqsWebhookQueue
from penstock.cli.stack import Stack
from penstock.cli.webhooks.ports import WebhookPorts, aws_webhook_ports
from penstock.cli.webhooks.redelivery import Outcome, redeliver_all_failed
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Succeeded
from penstock.contracts.ports.clock import utc_now
from penstock.contracts.request import AsyncRequest, Tenant, WebhookStatus
from penstock.contracts.stack.stack_outputs import StackOutputs
from penstock.contracts.submission import Submission
from tests.aws_variables import set_aws_variables
from tests.integration.adapters.conftest import create_tables
from tests.integration.adapters.facts import A_RESULT

pytestmark = pytest.mark.integration


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Iterator[StackOutputs]:
    set_aws_variables(monkeypatch)
    with mock_aws():
        forget_clients()
        create_tables()
        client("secretsmanager").create_secret(Name="signing", SecretString='{"secrets": ["a"]}')
        sqs = client("sqs")
        filled = dict.fromkeys(StackOutputs.model_fields, "unused")
        yield StackOutputs.model_validate(
            {
                **filled,
                "requests_table": "requests",
                "webhook_queue_url": sqs.create_queue(QueueName="webhooks")["QueueUrl"],
                "webhook_dead_letter_queue_url": sqs.create_queue(QueueName="dead")["QueueUrl"],
                "webhook_signing_secret_id": "signing",
            }
        )
    forget_clients()


def given_up(ports: WebhookPorts, outputs: StackOutputs) -> AsyncRequest:
    submission = Submission(
        tenant=Tenant("acme"), payload=b"1", webhook_endpoint="https://hooks.example.com/"
    )
    ports.requests.accept(row := submission.accepted("ocr", "v1", utc_now()))
    claimed = ports.requests.claim(row.request_id, "worker", 30)
    ended = ports.requests.finish(claimed, Succeeded(result=A_RESULT))
    ports.requests.count_webhook_attempt(ended)
    ports.requests.record_webhook(ended, WebhookStatus.FAILED)
    SqsWebhookQueue(
        outputs.webhook_queue_url,
        client("sqs"),
        dead_letter_queue_url=outputs.webhook_dead_letter_queue_url,
    ).bury(Notification.of(ended).model_dump_json(), "exhausted: the receiver answered 500")
    return ended


def test_a_dead_webhook_waits_again_with_all_its_attempts(outputs: StackOutputs) -> None:
    ports = aws_webhook_ports(Stack(outputs))
    row = given_up(ports, outputs)

    (done,) = redeliver_all_failed(ports)

    assert (done.request_id, done.outcome) == (row.request_id, Outcome.SENT)
    assert done.reason == "exhausted: the receiver answered 500"
    (message,) = client("sqs").receive_message(QueueUrl=outputs.webhook_queue_url)["Messages"]
    assert json.loads(message["Body"]) == Notification.of(row).model_dump(mode="json")
    now = ports.requests.find(row.request_id)
    assert now is not None
    assert (now.webhook_status, now.webhook_attempts) == (WebhookStatus.PENDING, 0)
    assert ports.dead_letters.count() == 0


def test_without_a_queue_for_them_no_dead_letter_is_kept(outputs: StackOutputs) -> None:
    SqsWebhookQueue(outputs.webhook_queue_url, client("sqs")).bury("{}", "gone")
    assert aws_webhook_ports(Stack(outputs)).dead_letters.count() == 0


def test_only_the_local_stack_lets_loopback_be_tried(outputs: StackOutputs) -> None:
    assert not aws_webhook_ports(Stack(outputs)).rules.allow_local
    assert aws_webhook_ports(Stack(outputs, "http://127.0.0.1:4566")).rules.allow_local
