"""What EC2 says in advance of nodes that it takes back."""

import json

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, allow
from infra.components.pipeline.message_queue import guard_queue

_EVENTS = {
    "health": ("aws.health", "AWS Health Event"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
}
_RETENTION_SECONDS = 300
"""Older news is of nodes that are gone."""


class InterruptionQueue(pulumi.ComponentResource):
    """EC2's warnings in a queue that Karpenter reads."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self, name: str, custody: Custody, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:InterruptionQueue", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        queue = aws.sqs.Queue(
            f"{name}-warnings",
            message_retention_seconds=_RETENTION_SECONDS,
            receive_wait_time_seconds=20,
            # Numbers of machines, no data of the stack's: EventBridge needs no right to a key.
            sqs_managed_sse_enabled=True,
            opts=child,
        )
        rules = {}
        for kind, (source, detail_type) in _EVENTS.items():
            pattern = json.dumps({"source": [source], "detail-type": [detail_type]})
            rules[kind] = aws.cloudwatch.EventRule(
                f"{name}-{kind}", event_pattern=pattern, opts=child
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{kind}-target", rule=rules[kind].name, arn=queue.arn, opts=child
            )
        granted = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": [rule.arn for rule in rules.values()]}},
        }
        guard_queue(f"{name}-policy", queue, self, custody, granted)
        self.name, self.arn = queue.name, queue.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def statement_to_read(self) -> Statement:
        """Allow to take the warnings."""
        actions = [
            "sqs:DeleteMessage",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
        ]
        return allow(actions, self.arn)
