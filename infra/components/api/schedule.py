"""A function that is called again and again by the clock."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.api.lambda_function import LambdaFunction
from infra.components.permissions import allow, policy, trust_of_account


@dataclass(frozen=True, kw_only=True)
class ScheduleArgs:
    """What a schedule needs to know."""

    account_id: pulumi.Input[str]
    function: LambdaFunction
    rate: str
    """In EventBridge's words, such as `rate(1 minute)`."""


class Schedule(pulumi.ComponentResource):
    """An EventBridge schedule with a role that may call one function and nothing else."""

    def __init__(
        self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:Schedule", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-caller",
            assume_role_policy=trust_of_account(
                "scheduler.amazonaws.com", args.account_id, "sts:AssumeRole"
            ),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-caller-permissions",
            role=role.name,
            policy=policy(allow("lambda:InvokeFunction", args.function.alias_arn)),
            opts=child,
        )
        schedule = aws.scheduler.Schedule(
            f"{name}-schedule",
            schedule_expression=args.rate,
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": args.function.alias_arn,
                "role_arn": role.arn,
                # A call that fails is not repeated: the next one does the same.
                "retry_policy": {"maximum_retry_attempts": 0},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions]),
        )
        self.register_outputs({"arn": schedule.arn})
