"""The resources, methods and integrations of the API, grown from the table of routes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.api.http_functions import API_TIMEOUT_SECONDS
from infra.components.api.lambda_function import LambdaFunction
from penstock.contracts.http.routes import ROUTES, FunctionName, Route

_TIMEOUT_MILLISECONDS = 1_000 * API_TIMEOUT_SECONDS


@dataclass(kw_only=True)
class RouteTree:
    """Declares every route under one API; a path segment is declared once."""

    name: str
    api: aws.apigateway.RestApi
    authorizer: aws.apigateway.Authorizer
    functions: Mapping[FunctionName, LambdaFunction]
    opts: pulumi.ResourceOptions
    declared: list[pulumi.Resource] = field(default_factory=list)
    """What a deployment of the API must wait for."""

    _resource_ids: dict[str, pulumi.Output[str]] = field(default_factory=dict)

    def declare(self) -> None:
        """Declare all routes."""
        for route in ROUTES:
            self._declare(route)

    def fingerprint(self) -> pulumi.Output[str]:
        """Return a text that changes whenever a route or what it calls changes."""
        targets = {name: function.invoke_arn for name, function in self.functions.items()}
        routes = [list(route) for route in ROUTES]
        return pulumi.Output.all(**targets).apply(
            lambda arns: json.dumps([routes, sorted(arns.items()), _TIMEOUT_MILLISECONDS])
        )

    def _declare(self, route: Route) -> None:
        name = f"{self.name}-{route.method.lower()}{_slug(route.path)}"
        # The function verifies signatures: API Gateway itself only knows those for `execute-api`,
        # made with keys of IAM, and an authorizer does not see the body, which they cover.
        is_signed = route.authorization == "signature"
        method = aws.apigateway.Method(
            name,
            rest_api=self.api.id,
            resource_id=self._resource_id(route.path),
            http_method=route.method,
            authorization="NONE" if is_signed else "CUSTOM",
            authorizer_id=None if is_signed else self.authorizer.id,
            request_parameters=_path_parameters(route.path),
            opts=self.opts,
        )
        integration = aws.apigateway.Integration(
            name,
            rest_api=self.api.id,
            resource_id=method.resource_id,
            http_method=method.http_method,
            type="AWS_PROXY",
            integration_http_method="POST",
            uri=self.functions[route.function].invoke_arn,
            timeout_milliseconds=_TIMEOUT_MILLISECONDS,
            opts=self.opts,
        )
        self.declared += [method, integration]

    def _resource_id(self, path: str) -> pulumi.Output[str]:
        if not path:
            return self.api.root_resource_id
        if path not in self._resource_ids:
            parent, _, segment = path.rpartition("/")
            resource = aws.apigateway.Resource(
                f"{self.name}{_slug(path)}",
                rest_api=self.api.id,
                parent_id=self._resource_id(parent),
                path_part=segment,
                opts=self.opts,
            )
            self._resource_ids[path] = resource.id
        return self._resource_ids[path]


def _slug(path: str) -> str:
    return re.sub(r"[{}+]", "", path).replace("/", "-")


def _path_parameters(path: str) -> dict[str, bool]:
    segments = [s.strip("{}+") for s in path.split("/") if s.startswith("{")]
    return {f"method.request.path.{segment}": True for segment in segments}
