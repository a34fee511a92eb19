"""A Lambda function with its role, its logs and the alias that everything points at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.attached_policies import attach
from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import Statement, allow, policy, trust

_TRACING = allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")
"""X-Ray has no resources to name."""


@dataclass(frozen=True, kw_only=True)
class LambdaCode:
    """What runs, and on what."""

    archive: pulumi.Archive
    runtime: str
    architecture: str


@dataclass(frozen=True, kw_only=True)
class LambdaFunctionArgs:
    """What a function needs to know."""

    code: LambdaCode
    process: str
    """Its folder under `functions/`."""

    environment: Mapping[str, pulumi.Input[str]]
    statements: Sequence[Statement]
    """What it may do, beside writing logs and traces."""

    growing_statements: Sequence[Statement] = ()
    """What it may do with places that deployments name: one action and plain resources each."""

    logs: LogKeeping
    timeout_seconds: int
    memory_mb: int = 512
    snap_start: bool = False
    """Whether it starts from a snapshot of itself (Lambda SnapStart)."""


class LambdaFunction(pulumi.ComponentResource):
    """A function of its own role, published and reached through its alias `live`."""

    name: pulumi.Output[str]
    alias_name: pulumi.Output[str]
    alias_arn: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: LambdaFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:LambdaFunction", name, {}, opts)
        self._name, child = name, pulumi.ResourceOptions(parent=self)
        logs = args.logs.declare_group(f"{name}-logs", child)
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=trust("lambda.amazonaws.com", "sts:AssumeRole"),
            opts=child,
        )
        permissions = aws.iam.RolePolicy(
            f"{name}-permissions",
            role=role.name,
            policy=policy(*args.statements, _writing_to(logs), _TRACING),
            opts=child,
        )
        attached = attach(f"{name}-places", role, args.growing_statements, child)
        function = aws.lambda_.Function(
            f"{name}-function",
            role=role.arn,
            runtime=args.code.runtime,
            architectures=[args.code.architecture],
            code=args.code.archive,
            handler=f"functions.{args.process}.handler.handle",
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment={"variables": args.environment},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            tracing_config={"mode": "Active"},
            publish=True,
            snap_start={"apply_on": "PublishedVersions"} if args.snap_start else None,
            # The first call must not come before the role may write logs.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions, *attached]),
        )
        alias = aws.lambda_.Alias(
            f"{name}-live",
            name="live",
            function_name=function.name,
            function_version=function.version,
            opts=child,
        )
        self.name, self.alias_name = function.name, alias.name
        self.alias_arn, self.invoke_arn = alias.arn, alias.invoke_arn
        self.register_outputs({"name": self.name, "alias_arn": self.alias_arn})

    def allow_api_gateway(self, source_arn: pulumi.Input[str]) -> None:
        """Let API Gateway call the function on behalf of `source_arn`."""
        aws.lambda_.Permission(
            f"{self._name}-permission",
            action="lambda:InvokeFunction",
            function=self.name,
            qualifier=self.alias_name,
            principal="apigateway.amazonaws.com",
            source_arn=source_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _writing_to(logs: aws.cloudwatch.LogGroup) -> Statement:
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return allow(actions, pulumi.Output.concat(logs.arn, ":*"))
