"""How every SQS queue of the platform is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.components.custody.custody import Custody
from infra.components.permissions import Statement, policy

RETENTION_SECONDS = 14 * 24 * 3_600
"""The most that SQS offers: a message never dies before its row says so."""


_DATA_KEY_SECONDS = 3_600
"""How long SQS reuses a data key. At the default of five minutes every caller of every queue costs
twelve times as many calls to KMS."""


class Redrive(NamedTuple):
    """Where messages go that were received too often."""

    dead_letters: aws.sqs.Queue
    max_receives: int

    def policy(self) -> pulumi.Output[str]:
        """Return it in SQS's words."""
        return pulumi.Output.json_dumps(
            {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": self.max_receives}
        )


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    """What a queue needs to know."""

    custody: Custody
    visibility_seconds: int = 30
    redrive: Redrive | None = None
    tags: Mapping[str, str] | None = None


def declare_queue(name: str, args: QueueArgs, parent: pulumi.Resource) -> aws.sqs.Queue:
    """Return an encrypted queue that is read by long polling."""
    key_arn = args.custody.key_arn
    return aws.sqs.Queue(
        name,
        message_retention_seconds=RETENTION_SECONDS,
        receive_wait_time_seconds=20,
        visibility_timeout_seconds=args.visibility_seconds,
        redrive_policy=args.redrive.policy() if args.redrive else None,
        sqs_managed_sse_enabled=True if key_arn is None else None,
        kms_master_key_id=key_arn,
        kms_data_key_reuse_period_seconds=None if key_arn is None else _DATA_KEY_SECONDS,
        tags=args.tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def guard_queue(
    name: str,
    queue: aws.sqs.Queue,
    parent: pulumi.Resource,
    custody: Custody,
    *granted: Statement,
) -> None:
    """Refuse plain HTTP and strangers at `queue`, and grant what only a queue itself can grant."""
    aws.sqs.QueuePolicy(
        name,
        queue_url=queue.url,
        policy=policy(*custody.refusals("sqs:*", queue.arn), *granted),
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
