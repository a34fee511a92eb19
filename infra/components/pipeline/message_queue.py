"""How every SQS queue of the platform is declared."""

from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, policy, refuse_plain_http

RETENTION_SECONDS = 14 * 24 * 3_600
"""The most that SQS offers: a message never dies before its row says so."""


class Redrive(NamedTuple):
    """Where messages go that were received too often."""

    dead_letters: aws.sqs.Queue
    max_receives: int

    def policy(self) -> pulumi.Output[str]:
        """Return it in SQS's words."""
        return pulumi.Output.json_dumps(
            {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": self.max_receives}
        )


def declare_queue(
    name: str,
    parent: pulumi.Resource,
    *,
    visibility_seconds: int = 30,
    redrive: Redrive | None = None,
    tags: dict[str, str] | None = None,
) -> aws.sqs.Queue:
    """Return an encrypted queue that is read by long polling."""
    return aws.sqs.Queue(
        name,
        message_retention_seconds=RETENTION_SECONDS,
        receive_wait_time_seconds=20,
        visibility_timeout_seconds=visibility_seconds,
        redrive_policy=redrive.policy() if redrive else None,
        sqs_managed_sse_enabled=True,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def guard_queue(
    name: str, queue: aws.sqs.Queue, parent: pulumi.Resource, *granted: Statement
) -> None:
    """Refuse plain HTTP at `queue`, and grant what only a queue itself can grant."""
    aws.sqs.QueuePolicy(
        name,
        queue_url=queue.url,
        policy=policy(refuse_plain_http("sqs:*", queue.arn), *granted),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def take_dead_letters(
    name: str, dead_letters: aws.sqs.Queue, sources: list[aws.sqs.Queue], parent: pulumi.Resource
) -> None:
    """Let only `sources` use `dead_letters`."""
    aws.sqs.RedriveAllowPolicy(
        name,
        queue_url=dead_letters.url,
        redrive_allow_policy=pulumi.Output.json_dumps(
            {
                "redrivePermission": "byQueue",
                "sourceQueueArns": [source.arn for source in sources],
            }
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
