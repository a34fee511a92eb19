"""What was refused in a network, written down."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import allow, policy, trust_of_account

_INTERVAL_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class FlowLogArgs:
    """What a flow log needs to know."""

    vpc_id: pulumi.Input[str]
    account_id: pulumi.Input[str]
    logs: LogKeeping


class FlowLog(pulumi.ComponentResource):
    """Rejected connections of a VPC, in CloudWatch Logs."""

    log_group: pulumi.Output[str]

    def __init__(
        self, name: str, args: FlowLogArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:FlowLog", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = args.logs.declare_group(f"{name}-lines", child)
        role = aws.iam.Role(
            f"{name}-writer",
            assume_role_policy=trust_of_account(
                "vpc-flow-logs.amazonaws.com", args.account_id, "sts:AssumeRole"
            ),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-permissions",
            role=role.name,
            policy=policy(
                allow(
                    ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                    pulumi.Output.concat(group.arn, ":*"),
                )
            ),
            opts=child,
        )
        aws.ec2.FlowLog(
            f"{name}-records",
            vpc_id=args.vpc_id,
            traffic_type="REJECT",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=_INTERVAL_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions]),
        )
        self.log_group = group.name
        self.register_outputs({"log_group": self.log_group})
