"""Who is told when an alarm goes off."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, allow, policy, refuse_plain_http
from infra.settings.observability_settings import AlarmSettings


@dataclass(frozen=True, kw_only=True)
class AlarmReceiversArgs:
    """What the receivers need to know."""

    account_id: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None
    """A key of the account's own that alarms may use."""

    settings: AlarmSettings


class AlarmReceivers(pulumi.ComponentResource):
    """A topic for the addresses that are named, and the topic that is named; or nobody."""

    topic_arns: list[pulumi.Input[str]]

    def __init__(
        self, name: str, args: AlarmReceiversArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:observability:AlarmReceivers", name, {}, opts)
        self.topic_arns = []
        if args.settings.emails:
            self.topic_arns.append(self._topic(name, args))
        if args.settings.topic_arn:
            self.topic_arns.append(args.settings.topic_arn)
        self.register_outputs({"topic_arns": self.topic_arns})

    def _topic(self, name: str, args: AlarmReceiversArgs) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(
            f"{name}-topic",
            signature_version=2,
            # Never AWS's own key for SNS: alarms may not use that one.
            kms_master_key_id=args.key_arn,
            opts=child,
        )
        aws.sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=policy(
                refuse_plain_http("sns:Publish", topic.arn),
                _told_by_alarms(topic.arn, args.account_id),
            ),
            opts=child,
        )
        for number, address in enumerate(args.settings.emails, start=1):
            aws.sns.TopicSubscription(
                f"{name}-email-{number}",
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=child,
            )
        return topic.arn


def _told_by_alarms(topic: pulumi.Output[str], account_id: pulumi.Input[str]) -> Statement:
    condition = {"StringEquals": {"aws:SourceAccount": account_id}}
    statement = allow("sns:Publish", topic, condition)
    return {**statement, "Principal": {"Service": "cloudwatch.amazonaws.com"}}
