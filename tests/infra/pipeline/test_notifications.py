"""Ends of requests reach the webhook queue, and nobody else can write there."""

import json

from tests.infra.recording import Declared


def test_both_topics_feed_the_webhook_queue_with_what_has_a_webhook(stack: Declared) -> None:
    queue = stack.named("notifications-webhooks", "sqs/queue:Queue")
    subscriptions = [s.inputs for s in stack.of_type(":TopicSubscription")]

    assert {s["topic"] for s in subscriptions} == {
        stack.returned["succeeded_topic"],
        stack.returned["failed_topic"],
    }
    for subscription in subscriptions:
        assert subscription["protocol"] == "sqs"
        assert subscription["endpoint"] == queue.outputs["arn"]
        assert subscription["rawMessageDelivery"] is True
        assert json.loads(subscription["filterPolicy"]) == {"webhook": ["true"]}


def test_only_the_topics_may_write_to_the_webhook_queue(stack: Declared) -> None:
    queue = stack.named("notifications-webhooks", "sqs/queue:Queue")
    statements = stack.named("notifications-webhooks-policy", ":QueuePolicy").policy()

    (grant,) = [s for s in statements if s["Effect"] == "Allow"]
    assert grant["Action"] == "sqs:SendMessage"
    assert grant["Resource"] == queue.outputs["arn"]
    assert grant["Principal"] == {"Service": "sns.amazonaws.com"}
    assert grant["Condition"]["ArnEquals"]["aws:SourceArn"] == [
        stack.returned["succeeded_topic"],
        stack.returned["failed_topic"],
    ]


def test_a_webhook_that_never_ends_becomes_a_dead_letter_long_after_its_attempts(
    stack: Declared,
) -> None:
    queue = stack.named("notifications-webhooks", "sqs/queue:Queue")
    dead_letters = stack.named("notifications-webhooks-dead-letters", "sqs/queue:Queue")

    assert json.loads(queue.inputs["redrivePolicy"]) == {
        "deadLetterTargetArn": dead_letters.outputs["arn"],
        "maxReceiveCount": 8 + 200,
    }
    assert stack.returned["webhook_dead_letter_queue_url"] == dead_letters.outputs["url"]


def test_topics_are_encrypted_and_closed_to_others(stack: Declared) -> None:
    policies = {p.inputs["arn"]: p.policy() for p in stack.of_type(":TopicPolicy")}
    topics = stack.of_type("sns/topic:Topic")

    assert len(topics) == 2
    for topic in topics:
        assert topic.inputs["kmsMasterKeyId"] == "alias/aws/sns"
        refusals = policies[topic.outputs["arn"]]
        assert [s["Sid"] for s in refusals] == ["RefusePlainHttp", "RefuseOtherAccounts"]
        assert all(s["Action"] == ["sns:Publish", "sns:Subscribe"] for s in refusals)
