"""Telling the world that requests ended: two topics, and the queue of webhooks behind them."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow, policy
from infra.components.pipeline.message_queue import (
    QueueArgs,
    Redrive,
    declare_queue,
    guard_queue,
    take_dead_letters,
)
from penstock.contracts.ports.webhooks import RECEIVES_BESIDE_ATTEMPTS

_TOPIC_ACTIONS = ["sns:Publish", "sns:Subscribe"]
"""SNS takes no `sns:*` in the policy of a topic."""


@dataclass(frozen=True, kw_only=True)
class NotificationsArgs:
    """What notifications need to know."""

    custody: Custody
    visibility_seconds: int
    """How long the webhooks function may be busy with a message; at least six of its timeouts."""

    max_receives: int
    """How often a webhook is tried before its message becomes a dead letter."""


class Notifications(pulumi.ComponentResource):
    """The topics `succeeded` and `failed`, and a queue of those ends that have a webhook."""

    succeeded_topic: pulumi.Output[str]
    failed_topic: pulumi.Output[str]
    webhook_queue_url: pulumi.Output[str]
    webhook_queue_arn: pulumi.Output[str]
    webhook_dead_letter_queue_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:Notifications", name, {}, opts)
        custody = args.custody
        succeeded = self._topic(f"{name}-succeeded", custody)
        failed = self._topic(f"{name}-failed", custody)
        dead_letters = declare_queue(
            f"{name}-webhooks-dead-letters", QueueArgs(custody=custody), self
        )
        queue = QueueArgs(
            custody=custody,
            visibility_seconds=args.visibility_seconds,
            redrive=Redrive(dead_letters, args.max_receives + RECEIVES_BESIDE_ATTEMPTS),
        )
        webhooks = declare_queue(f"{name}-webhooks", queue, self)
        take_dead_letters(f"{name}-webhooks-redrive", dead_letters, [webhooks], self)
        topics = [succeeded.arn, failed.arn]
        taken = _taking_from(topics, webhooks)
        guard_queue(f"{name}-webhooks-policy", webhooks, self, custody, taken)
        guard_queue(f"{name}-webhooks-dead-letters-policy", dead_letters, self, custody)
        self._subscribe(f"{name}-succeeded-to-webhooks", succeeded, webhooks)
        self._subscribe(f"{name}-failed-to-webhooks", failed, webhooks)
        self.succeeded_topic, self.failed_topic = topics
        self.webhook_queue_url, self.webhook_queue_arn = webhooks.url, webhooks.arn
        self.webhook_dead_letter_queue_url = dead_letters.url
        self._dead_letters_arn = dead_letters.arn
        self.register_outputs(
            {
                "succeeded_topic": self.succeeded_topic,
                "failed_topic": self.failed_topic,
                "webhook_queue_url": self.webhook_queue_url,
                "webhook_dead_letter_queue_url": self.webhook_dead_letter_queue_url,
            }
        )

    def _topic(self, name: str, custody: Custody) -> aws.sns.Topic:
        topic = aws.sns.Topic(
            name,
            kms_master_key_id=custody.key_arn or "alias/aws/sns",
            signature_version=2,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=policy(*custody.refusals(_TOPIC_ACTIONS, topic.arn)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return topic

    def _subscribe(self, name: str, topic: aws.sns.Topic, webhooks: aws.sqs.Queue) -> None:
        aws.sns.TopicSubscription(
            name,
            topic=topic.arn,
            protocol="sqs",
            endpoint=webhooks.arn,
            raw_message_delivery=True,
            filter_policy=json.dumps({"webhook": ["true"]}),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def statement_to_publish(self) -> Statement:
        """Allow to announce ended requests."""
        return allow("sns:Publish", [self.succeeded_topic, self.failed_topic])

    def statements_to_deliver(self) -> list[Statement]:
        """Allow to take webhooks from the queue, and to keep those that are given up.

        For Lambda's poller and the function itself.
        """
        actions = [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
        ]
        return [
            allow(actions, self.webhook_queue_arn),
            allow("sqs:SendMessage", self._dead_letters_arn),
        ]


def _taking_from(topics: list[pulumi.Output[str]], queue: aws.sqs.Queue) -> Statement:
    statement = allow("sqs:SendMessage", queue.arn, {"ArnEquals": {"aws:SourceArn": topics}})
    return {**statement, "Principal": {"Service": "sns.amazonaws.com"}}
