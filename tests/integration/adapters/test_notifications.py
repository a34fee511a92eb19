"""Announcements reach the subscribers that want them."""

import json
from datetime import datetime
from typing import Any

import pytest

from penstock.adapters.aws.clients import client
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.adapters.in_memory import FakeClock, InMemoryNotifier
from penstock.contracts.errors import SettingsError, TopicRefusedError
from penstock.contracts.notification import Notification
from penstock.contracts.outcome import Fault, FaultCode
from penstock.contracts.queue_text import travels
from penstock.contracts.request import RequestState
from tests.integration.adapters.conftest import Ports
from tests.integration.adapters.facts import NO_TOPIC, SIGNING_SECRETS, a_request, without_webhook


def ended(state: RequestState, now: datetime, *, has_webhook: bool = True) -> Notification:
    request = a_request(now) if has_webhook else without_webhook(now)
    return Notification.of(request.model_copy(update={"state": state}))


def subscribed_queue(topic: str, filter_policy: dict[str, list[str]]) -> str:
    """Return the URL of a queue that hears of `topic` as the webhook queue does."""
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName=f"hears-{topic}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    topic_arn = next(t["TopicArn"] for t in sns.list_topics()["Topics"] if topic in t["TopicArn"])
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps(filter_policy)},
    )
    return url


def heard(queue_url: str) -> list[Any]:
    messages: list[Any] = []
    while (
        received := client("sqs")
        .receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        .get("Messages")
    ):
        messages += received
    return messages


def test_any_number_of_notifications_is_announced(ports: Ports) -> None:
    notifications = [ended(state, ports.clock()) for state in RequestState if state.is_terminal]
    assert ports.notifier.publish(notifications * 7) == []
    assert ports.notifier.publish([]) == []


def test_a_fault_in_any_characters_is_announced_in_such_as_queues_take(clock: FakeClock) -> None:
    notifier = InMemoryNotifier()
    fault = Fault(code=FaultCode.MODEL_PREDICT_ERROR, message="a\ufffeb\uffffc")
    told = ended(RequestState.FAILED, clock()).model_copy(update={"faults": (fault,)})
    notifier.publish([told])

    assert notifier.published == [told]
    assert travels(told.encoded())
    assert Notification.model_validate_json(told.encoded()) == told


def test_the_in_memory_notifier_remembers_what_it_was_told(clock: FakeClock) -> None:
    notifier, notification = InMemoryNotifier(), ended(RequestState.FAILED, clock())
    notifier.publish([notification])
    assert notifier.published == [notification]


@pytest.mark.integration
def test_successes_and_the_rest_have_a_topic_each(aws_ports: Ports) -> None:
    told = {topic: subscribed_queue(topic, {}) for topic in ("succeeded", "failed")}
    success = ended(RequestState.SUCCEEDED, aws_ports.clock())
    others = [
        ended(state, aws_ports.clock()) for state in (RequestState.FAILED, RequestState.EXPIRED)
    ]
    aws_ports.notifier.publish([others[0], success, others[1]])

    bodies = {
        topic: [Notification.model_validate_json(message["Body"]) for message in heard(url)]
        for topic, url in told.items()
    }
    assert bodies == {"succeeded": [success], "failed": others}


@pytest.mark.integration
def test_the_webhook_queue_hears_only_of_requests_with_a_webhook(aws_ports: Ports) -> None:
    url = subscribed_queue("succeeded", {"webhook": ["true"]})
    wanted = [ended(RequestState.SUCCEEDED, aws_ports.clock())] * 12
    unwanted = ended(RequestState.SUCCEEDED, aws_ports.clock(), has_webhook=False)
    aws_ports.notifier.publish([unwanted, *wanted])

    messages = heard(url)
    assert [Notification.model_validate_json(message["Body"]) for message in messages] == wanted
    attributes = messages[0]["MessageAttributes"]
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "event_id": wanted[0].event_id,
        "model_id": "ocr",
        "deployment_id": "v1",
        "state": "SUCCEEDED",
        "webhook": "true",
    }


@pytest.mark.integration
def test_a_rotated_signing_secret_is_seen_within_a_minute(aws_ports: Ports) -> None:
    assert list(aws_ports.signing_secrets.active()) == SIGNING_SECRETS
    client("secretsmanager").put_secret_value(
        SecretId="signing", SecretString=json.dumps({"secrets": ["rotated", *SIGNING_SECRETS]})
    )

    aws_ports.clock.advance(59)
    assert list(aws_ports.signing_secrets.active()) == SIGNING_SECRETS
    aws_ports.clock.advance(1)
    assert list(aws_ports.signing_secrets.active()) == ["rotated", *SIGNING_SECRETS]


@pytest.mark.integration
def test_a_stack_without_a_secret_has_no_active_one(aws: FakeClock) -> None:
    secrets = SecretsManagerSigningSecrets("absent", client("secretsmanager"), aws)
    assert list(secrets.active()) == []


@pytest.mark.integration
def test_a_signing_secret_of_another_form_is_named_and_not_shown(aws: FakeClock) -> None:
    client("secretsmanager").create_secret(Name="bare", SecretString="hunter2")
    secrets = SecretsManagerSigningSecrets("bare", client("secretsmanager"), aws)
    with pytest.raises(SettingsError, match="secret bare must be JSON") as error:
        secrets.active()
    assert "hunter2" not in repr(error.value)


def test_a_topic_that_is_gone_refuses(ports: Ports) -> None:
    ports.notifier.publish_to(ports.callers_topic, "{}")
    with pytest.raises(TopicRefusedError, match=NO_TOPIC):
        ports.notifier.publish_to(NO_TOPIC, "{}")


@pytest.mark.integration
def test_a_callers_topic_hears_the_text_alone(aws_ports: Ports) -> None:
    queue = subscribed_queue("callers", {})
    aws_ports.notifier.publish_to(aws_ports.callers_topic, '{"a": 1}')
    (message,) = heard(queue)
    assert message["Body"] == '{"a": 1}'
    assert "MessageAttributes" not in message
