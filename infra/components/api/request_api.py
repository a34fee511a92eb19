"""The HTTP API: a regional REST API in front of the functions."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.api.gateway_answers import ANSWERS, declare_answers
from infra.components.api.lambda_function import LambdaFunction
from infra.components.api.routes import RouteTree
from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import trust
from penstock.contracts.http.routes import FunctionName

_AUTHORIZER_CACHE_SECONDS = 60  # a revoked key still opens the API for so long
_BINARY_MEDIA_TYPES = ["*/*"]  # every body passes byte by byte, in an event as base64
_LOG_ROLE_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "caller": "$context.identity.sourceIp",
    "tenant": "$context.authorizer.tenant",
    "host": "$context.domainName",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.message",
    "trace": "$context.xrayTraceId",
}


@dataclass(frozen=True, kw_only=True)
class RequestApiArgs:
    """What the API needs to know."""

    authorizer: LambdaFunction
    functions: Mapping[FunctionName, LambdaFunction]
    rate_per_second: int
    burst: int
    logs: LogKeeping
    sets_account_log_role: bool
    """Whether to set the account's one role for access logs."""

    has_own_domain: bool
    """Whether callers come by a name of the stack's own, and by no other."""


class RequestApi(pulumi.ComponentResource):
    """The API with its authorizer, routes, logs and throttling, deployed to one stage."""

    url: pulumi.Output[str]
    name: pulumi.Output[str]
    rest_api: pulumi.Output[str]
    stage_name: pulumi.Output[str]
    stage_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: RequestApiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:RequestApi", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._api = aws.apigateway.RestApi(
            f"{name}-rest",
            description="Penstock: asynchronous inference",
            endpoint_configuration={"types": "REGIONAL"},
            binary_media_types=_BINARY_MEDIA_TYPES,
            disable_execute_api_endpoint=args.has_own_domain,
            opts=self._child,
        )
        authorizer = self._authorizer()
        routes = RouteTree(
            name=name,
            api=self._api,
            authorizer=authorizer,
            functions=args.functions,
            opts=self._child,
        )
        routes.declare()
        answers = declare_answers(name, self._api, self._child)
        for function in args.functions.values():
            function.allow_api_gateway(pulumi.Output.concat(self._api.execution_arn, "/*/*"))
        stage = self._stage(
            self._deployment(routes.fingerprint(), [authorizer, *routes.declared, *answers])
        )
        self.url, self.rest_api, self.name = stage.invoke_url, self._api.id, self._api.name
        self.stage_name, self.stage_arn = stage.stage_name, stage.arn
        self.register_outputs({"url": self.url})

    def _authorizer(self) -> aws.apigateway.Authorizer:
        authorizer = aws.apigateway.Authorizer(
            f"{self._name}-authorizer",
            rest_api=self._api.id,
            type="REQUEST",
            authorizer_uri=self._args.authorizer.invoke_arn,
            identity_source="method.request.header.Authorization",
            authorizer_result_ttl_in_seconds=_AUTHORIZER_CACHE_SECONDS,
            opts=self._child,
        )
        source = pulumi.Output.concat(self._api.execution_arn, "/authorizers/", authorizer.id)
        self._args.authorizer.allow_api_gateway(source)
        return authorizer

    def _deployment(
        self, routes: pulumi.Output[str], parts: list[pulumi.Resource]
    ) -> aws.apigateway.Deployment:
        answers = [list(answer) for answer in ANSWERS]
        # AWS opens and closes its own address with a deployment, too.
        doors = [_BINARY_MEDIA_TYPES, self._args.has_own_domain]
        shape = pulumi.Output.json_dumps([routes, self._args.authorizer.invoke_arn, answers, doors])
        return aws.apigateway.Deployment(
            f"{self._name}-deployment",
            rest_api=self._api.id,
            # Without a trigger a changed route would never reach the stage.
            triggers={"shape": shape.apply(lambda s: hashlib.sha256(s.encode()).hexdigest())},
            opts=pulumi.ResourceOptions(parent=self, depends_on=parts),
        )

    def _stage(self, deployment: aws.apigateway.Deployment) -> aws.apigateway.Stage:
        logs = self._args.logs.declare_group(f"{self._name}-access-logs", self._child)
        stage = aws.apigateway.Stage(
            f"{self._name}-stage",
            rest_api=self._api.id,
            deployment=deployment.id,
            stage_name="live",
            access_log_settings={"destination_arn": logs.arn, "format": json.dumps(_ACCESS_LOG)},
            xray_tracing_enabled=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._log_role()),
        )
        aws.apigateway.MethodSettings(
            f"{self._name}-throttling",
            rest_api=self._api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "throttling_rate_limit": self._args.rate_per_second,
                "throttling_burst_limit": self._args.burst,
                # Those of the whole stage are free; each method's own would be paid for.
                "metrics_enabled": False,
                "logging_level": "OFF",  # the access log says enough, and has a retention
            },
            opts=self._child,
        )
        return stage

    def _log_role(self) -> list[pulumi.Resource]:
        if not self._args.sets_account_log_role:
            return []
        role = aws.iam.Role(
            f"{self._name}-log-role",
            assume_role_policy=trust("apigateway.amazonaws.com", "sts:AssumeRole"),
            opts=self._child,
        )
        attached = aws.iam.RolePolicyAttachment(
            f"{self._name}-log-role-policy",
            role=role.name,
            policy_arn=_LOG_ROLE_POLICY,
            opts=self._child,
        )
        account = aws.apigateway.Account(
            f"{self._name}-account",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[attached]),
        )
        return [account]
