"""The functions of the pipeline: what each is told and what each may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.api.lambda_function import LambdaCode, LambdaFunction, LambdaFunctionArgs
from infra.components.api.schedule import Schedule, ScheduleArgs
from infra.components.permissions import Statement
from infra.components.pipeline.notifications import Notifications
from infra.components.pipeline.payload_store import PayloadStore
from infra.components.pipeline.request_queues import (
    statement_to_look_at_dead_letters,
    statement_to_measure,
    statement_to_send,
)
from infra.components.pipeline.signing_secret import SigningSecret
from infra.components.pipeline.table import Index, Table
from penstock.contracts.environments import (
    AuthorizerEnvironment,
    IntakeEnvironment,
    ProcessEnvironment,
    StatusEnvironment,
    SweeperEnvironment,
    WebhooksEnvironment,
)

WEBHOOKS_TIMEOUT_SECONDS = 120
"""The webhooks of a batch are sent at once, ten seconds each at most; the rest is for slow AWS."""

_WEBHOOKS_BATCH = 10
_WEBHOOKS_AT_A_TIME = 20
_SWEEPER_TIMEOUT_SECONDS = 55
"""Less than the minute after which it is called again."""

Variables = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class PipelineFunctionsArgs:
    """What the functions need to know."""

    stack: str
    """Whose request queues they may use."""

    code: LambdaCode
    requests: Table
    catalog: Table
    api_keys: Table
    limits: Table
    open_requests: Index
    """The index of `requests` that counts what a tenant has outstanding."""

    due_requests: Index
    """The index of `requests` that the sweeper goes by."""

    store: PayloadStore
    notifications: Notifications
    signing_secret: SigningSecret
    max_payload_bytes: int
    tenant_requests_per_second: int
    tenant_outstanding_requests: int
    webhook_attempts: int
    allow_local_webhooks: bool
    webhook_ports: Sequence[int]
    log_days: int


class PipelineFunctions(pulumi.ComponentResource):
    """Authorizer, intake, status, webhooks and sweeper, each with its own role."""

    authorizer: LambdaFunction
    intake: LambdaFunction
    status: LambdaFunction
    webhooks: LambdaFunction
    sweeper: LambdaFunction

    def __init__(
        self, name: str, args: PipelineFunctionsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:PipelineFunctions", name, {}, opts)
        self._name, self._args = name, args
        self.authorizer = self._authorizer()
        self.intake = self._intake()
        self.status = self._status()
        self.webhooks = self._webhooks()
        self.sweeper = self._sweeper()
        functions = (self.authorizer, self.intake, self.status, self.webhooks, self.sweeper)
        self.register_outputs({"names": [function.name for function in functions]})

    def _function(
        self,
        environment: type[ProcessEnvironment],
        variables: Variables,
        statements: Sequence[Statement],
        *,
        timeout_seconds: int,
    ) -> LambdaFunction:
        process = environment.process
        return LambdaFunction(
            f"{self._name}-{process}",
            LambdaFunctionArgs(
                code=self._args.code,
                process=process,
                environment=environment.variables(**variables),
                statements=statements,
                log_days=self._args.log_days,
                timeout_seconds=timeout_seconds,
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _authorizer(self) -> LambdaFunction:
        keys = self._args.api_keys
        return self._function(
            AuthorizerEnvironment,
            {"api_keys_table": keys.name},
            [keys.statement_to_read()],
            timeout_seconds=10,
        )

    def _intake(self) -> LambdaFunction:
        args = self._args
        variables: Variables = {
            "catalog_table": args.catalog.name,
            "requests_table": args.requests.name,
            "payloads_bucket": args.store.payloads.name,
            "results_bucket": args.store.results.name,
            "api_keys_table": args.api_keys.name,
            "max_payload_bytes": str(args.max_payload_bytes),
            "allow_local_webhooks": str(args.allow_local_webhooks).lower(),
            "webhook_ports": ",".join(map(str, args.webhook_ports)),
            "limits_table": args.limits.name,
            "tenant_requests_per_second": str(args.tenant_requests_per_second),
            "tenant_outstanding_requests": str(args.tenant_outstanding_requests),
        }
        statements = [
            args.catalog.statement_to_read(),
            args.requests.statement_to_add(),
            args.requests.statement_to_advance(),
            args.requests.statement_to_query(args.open_requests),
            args.limits.statement_to_count(),
            *args.store.statements_to_submit(),
            statement_to_send(args.stack),
        ]
        return self._function(IntakeEnvironment, variables, statements, timeout_seconds=15)

    def _status(self) -> LambdaFunction:
        args = self._args
        variables: Variables = {
            "catalog_table": args.catalog.name,
            "requests_table": args.requests.name,
            "results_bucket": args.store.results.name,
        }
        statements = [
            args.catalog.statement_to_read(),
            args.requests.statement_to_advance(),
            *args.store.statements_to_fetch(),
            statement_to_measure(args.stack),
        ]
        return self._function(StatusEnvironment, variables, statements, timeout_seconds=15)

    def _webhooks(self) -> LambdaFunction:
        args = self._args
        variables: Variables = {
            "requests_table": args.requests.name,
            "results_bucket": args.store.results.name,
            "webhook_queue_url": args.notifications.webhook_queue_url,
            "webhook_dead_letter_queue_url": args.notifications.webhook_dead_letter_queue_url,
            "signing_secret_id": args.signing_secret.arn,
            "max_attempts": str(args.webhook_attempts),
            "allow_local_webhooks": str(args.allow_local_webhooks).lower(),
            "webhook_ports": ",".join(map(str, args.webhook_ports)),
        }
        statements = [
            args.requests.statement_to_advance(),
            *args.store.statements_to_fetch(),
            *args.notifications.statements_to_deliver(),
            args.signing_secret.statement_to_read(),
        ]
        function = self._function(
            WebhooksEnvironment, variables, statements, timeout_seconds=WEBHOOKS_TIMEOUT_SECONDS
        )
        aws.lambda_.EventSourceMapping(
            f"{self._name}-webhooks-source",
            event_source_arn=args.notifications.webhook_queue_arn,
            function_name=function.alias_arn,
            batch_size=_WEBHOOKS_BATCH,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": _WEBHOOKS_AT_A_TIME},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return function

    def _sweeper(self) -> LambdaFunction:
        args = self._args
        variables: Variables = {
            "catalog_table": args.catalog.name,
            "requests_table": args.requests.name,
            "results_bucket": args.store.results.name,
            "succeeded_topic": args.notifications.succeeded_topic,
            "failed_topic": args.notifications.failed_topic,
        }
        statements = [
            args.catalog.statement_to_read(),
            args.catalog.statement_to_list(),
            args.requests.statement_to_advance(),
            args.requests.statement_to_read_many(),
            args.requests.statement_to_query(args.due_requests),
            *args.store.statements_to_give_up(),
            args.notifications.statement_to_publish(),
            statement_to_measure(args.stack),
            statement_to_look_at_dead_letters(args.stack),
        ]
        function = self._function(
            SweeperEnvironment, variables, statements, timeout_seconds=_SWEEPER_TIMEOUT_SECONDS
        )
        Schedule(
            f"{self._name}-sweeper",
            ScheduleArgs(function=function, rate="rate(1 minute)"),
            pulumi.ResourceOptions(parent=self),
        )
        return function
