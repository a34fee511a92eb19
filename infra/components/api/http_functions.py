"""The functions behind the HTTP API: what each is told and what each may do."""

from dataclasses import dataclass, replace

import pulumi

from infra.components.api.function_platform import FunctionPlatform, Variables
from infra.components.api.lambda_function import LambdaFunction, LambdaFunctionArgs
from infra.components.pipeline.request_queues import statement_to_measure, statement_to_send
from infra.components.pipeline.requests_table import BY_CALLER, LISTED, OPEN
from infra.settings.stack_settings import StackSettings
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    IntakeEnvironment,
    StatusEnvironment,
)

API_TIMEOUT_SECONDS = 29
"""API Gateway waits no longer for a function, without a quota increase; ours may wait for a result
as long as that leaves them time to answer."""


@dataclass(frozen=True, kw_only=True)
class HttpFunctionsArgs:
    """What the functions need to know."""

    platform: FunctionPlatform
    settings: StackSettings


class HttpFunctions(pulumi.ComponentResource):
    """Authorizer, intake and status, each with its own role."""

    authorizer: LambdaFunction
    intake: LambdaFunction
    status: LambdaFunction

    def __init__(
        self, name: str, args: HttpFunctionsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:HttpFunctions", name, {}, opts)
        self._name, self._platform, self._settings = name, args.platform, args.settings
        self._child = pulumi.ResourceOptions(parent=self)
        self.authorizer = self._authorizer()
        self.intake = self._intake()
        self.status = self._status()
        functions = (self.authorizer, self.intake, self.status)
        self.register_outputs({"names": [function.name for function in functions]})

    def _authorizer(self) -> LambdaFunction:
        keys = self._platform.api_keys
        args = self._platform.function_args(
            AuthorizerEnvironment,
            {"api_keys_table": keys.name},
            [keys.statement_to_read()],
            timeout_seconds=10,
        )
        return self._declare("authorizer", args)

    def _intake(self) -> LambdaFunction:
        platform = self._platform
        statements = [
            platform.catalog.statement_to_read(),
            platform.api_keys.statement_to_read(),
            platform.requests.statement_to_add(),
            platform.requests.statement_to_advance(),
            platform.requests.statement_to_query(OPEN),
            platform.limits.statement_to_change(),
            *platform.store.statements_to_submit(),
            *platform.store.statements_to_fetch(),
            platform.access_key_master.statement_to_read(),
            statement_to_send(platform.stack, platform.custody),
        ]
        args = platform.function_args(
            IntakeEnvironment,
            self._intake_variables(),
            statements,
            platform.caller_places.statements_to_read_inputs(),
            timeout_seconds=API_TIMEOUT_SECONDS,
        )
        return self._declare("intake", args)

    def _intake_variables(self) -> Variables:
        platform, settings = self._platform, self._settings
        return {
            "catalog_table": platform.catalog.name,
            "requests_table": platform.requests.name,
            "payloads_bucket": platform.store.payloads.name,
            "results_bucket": platform.store.results.name,
            "api_keys_table": platform.api_keys.name,
            "signing_master_secret_id": platform.access_key_master.arn,
            "max_payload_bytes": str(settings.api.max_payload_bytes),
            "allow_local_webhooks": str(settings.webhooks.allow_local).lower(),
            "webhook_ports": ",".join(map(str, settings.webhooks.ports)),
            "limits_table": platform.limits.name,
            "tenant_requests_per_second": str(settings.tenants.requests_per_second),
            "tenant_outstanding_requests": str(settings.tenants.outstanding_requests),
        }

    def _status(self) -> LambdaFunction:
        platform = self._platform
        variables: Variables = {
            "catalog_table": platform.catalog.name,
            "requests_table": platform.requests.name,
            "results_bucket": platform.store.results.name,
            "limits_table": platform.limits.name,
            "tenant_calls_per_second": str(self._settings.tenants.status_calls_per_second),
        }
        statements = [
            platform.catalog.statement_to_read(),
            platform.requests.statement_to_advance(),
            platform.requests.statement_to_read_many(),
            platform.requests.statement_to_query(BY_CALLER, LISTED),
            platform.limits.statement_to_change(),
            *platform.store.statements_to_fetch(),
            statement_to_measure(platform.stack, platform.custody),
        ]
        args = platform.function_args(
            StatusEnvironment,
            variables,
            statements,
            platform.caller_places.statements_to_fetch(),
            timeout_seconds=API_TIMEOUT_SECONDS,
        )
        return self._declare("status", args)

    def _declare(self, process: str, args: LambdaFunctionArgs) -> LambdaFunction:
        waited_for = replace(args, snap_start=self._settings.api.snap_start)
        return LambdaFunction(f"{self._name}-{process}", waited_for, self._child)
