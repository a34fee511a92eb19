"""A key of the account's own, in KMS."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, policy

_DELETION_DAYS = 30
"""The longest that KMS offers: what lies under a deleted key is lost."""

_ROTATION_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class CustomerKeyArgs:
    """What a key needs to know."""

    account_id: pulumi.Input[str]
    alias: str
    """Under which people find it."""

    description: str
    is_protected: bool
    """Whether it refuses to be deleted."""

    services: Sequence[Statement] = ()
    """What AWS itself may do with it, on nobody's behalf."""


class CustomerKey(pulumi.ComponentResource):
    """A rotated key that identities of its account may use as their own policies say."""

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: CustomerKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:CustomerKey", name, {}, opts)
        key = aws.kms.Key(
            f"{name}-key",
            description=args.description,
            enable_key_rotation=True,
            rotation_period_in_days=_ROTATION_DAYS,
            deletion_window_in_days=_DELETION_DAYS,
            policy=policy(_leave_to_policies_of(args.account_id), *args.services),
            opts=pulumi.ResourceOptions(parent=self, protect=args.is_protected),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=f"alias/{args.alias}",
            target_key_id=key.id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def for_logs(account_id: pulumi.Input[str], region: str) -> Statement:
    """Let CloudWatch Logs use a key for log groups of the account."""
    groups = pulumi.Output.concat(f"arn:aws:logs:{region}:", account_id, ":log-group:*")
    return {
        "Sid": "LogGroups",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": "*",  # in the policy of a key it is that key
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    }


def for_topics(account_id: pulumi.Input[str], region: str) -> Statement:
    """Let topics of the account deliver to queues under a key."""
    topics = pulumi.Output.concat(f"arn:aws:sns:{region}:", account_id, ":*")
    return {
        "Sid": "TopicsToQueues",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"ArnLike": {"aws:SourceArn": topics}},
    }


def for_alarms(account_id: pulumi.Input[str]) -> Statement:
    """Let alarms of the account publish to topics under a key."""
    return {
        "Sid": "AlarmsToTopics",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }


def _leave_to_policies_of(account_id: pulumi.Input[str]) -> Statement:
    # Without it nobody but those named here could ever change the key again.
    return {
        "Sid": "PoliciesOfTheAccount",
        "Effect": "Allow",
        "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
        "Action": "kms:*",
        "Resource": "*",
    }
