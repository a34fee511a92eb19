"""How log entries are kept."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """For how long, and under which key."""

    days: int
    key_arn: pulumi.Input[str] | None = None
    """A key of the account's own; without it, one that AWS keeps."""

    def declare_group(
        self, name: str, opts: pulumi.ResourceOptions, *, log_name: str | None = None
    ) -> aws.cloudwatch.LogGroup:
        """Declare a log group; `log_name` is for those whose writers choose it."""
        return aws.cloudwatch.LogGroup(
            name,
            name=log_name,
            retention_in_days=self.days,
            kms_key_id=self.key_arn,
            opts=opts,
        )
