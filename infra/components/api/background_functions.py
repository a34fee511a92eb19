"""The functions that nobody calls over HTTP: what each is told and what each may do."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.api.function_platform import FunctionPlatform, Variables
from infra.components.api.lambda_function import LambdaFunction
from infra.components.api.schedule import Schedule, ScheduleArgs
from infra.components.pipeline.request_queues import (
    statement_to_look_at_dead_letters,
    statement_to_measure,
)
from infra.components.pipeline.requests_table import DUE
from infra.settings.stack_settings import WebhookSettings
from penstock.contracts.environments import SweeperEnvironment, WebhooksEnvironment

WEBHOOKS_TIMEOUT_SECONDS = 120
"""The webhooks of a batch are sent at once, ten seconds each at most; the rest is for slow AWS."""

_WEBHOOKS_BATCH = 10
_WEBHOOKS_AT_A_TIME = 20
_SWEEPER_TIMEOUT_SECONDS = 55
"""Less than the minute after which it is called again."""

_SWEEPER_MEMORY_MB = 1_769
"""Lambda gives one whole CPU for it; less slows the threads that share it."""


@dataclass(frozen=True, kw_only=True)
class BackgroundFunctionsArgs:
    """What the functions need to know."""

    platform: FunctionPlatform
    webhooks: WebhookSettings


class BackgroundFunctions(pulumi.ComponentResource):
    """Webhooks and sweeper, each with its own role."""

    webhooks: LambdaFunction
    sweeper: LambdaFunction

    def __init__(
        self, name: str, args: BackgroundFunctionsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:pipeline:BackgroundFunctions", name, {}, opts)
        self._name, self._platform, self._settings = name, args.platform, args.webhooks
        self._child = pulumi.ResourceOptions(parent=self)
        self.webhooks = self._webhooks()
        self.sweeper = self._sweeper()
        self.register_outputs({"names": [self.webhooks.name, self.sweeper.name]})

    def _webhooks(self) -> LambdaFunction:
        platform, settings = self._platform, self._settings
        variables: Variables = {
            "requests_table": platform.requests.name,
            "results_bucket": platform.store.results.name,
            "webhook_queue_url": platform.notifications.webhook_queue_url,
            "webhook_dead_letter_queue_url": platform.notifications.webhook_dead_letter_queue_url,
            "signing_secret_id": platform.webhook_signing.arn,
            "max_attempts": str(settings.max_attempts),
            "allow_local_webhooks": str(settings.allow_local).lower(),
            "webhook_ports": ",".join(map(str, settings.ports)),
        }
        statements = [
            platform.requests.statement_to_advance(),
            *platform.store.statements_to_deliver(),
            *platform.notifications.statements_to_deliver(),
            platform.webhook_signing.statement_to_read(),
        ]
        args = platform.function_args(
            WebhooksEnvironment, variables, statements, timeout_seconds=WEBHOOKS_TIMEOUT_SECONDS
        )
        function = LambdaFunction(f"{self._name}-webhooks", args, self._child)
        self._feed_webhooks(function)
        return function

    def _feed_webhooks(self, function: LambdaFunction) -> None:
        aws.lambda_.EventSourceMapping(
            f"{self._name}-webhooks-source",
            event_source_arn=self._platform.notifications.webhook_queue_arn,
            function_name=function.alias_arn,
            batch_size=_WEBHOOKS_BATCH,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": _WEBHOOKS_AT_A_TIME},
            opts=self._child,
        )

    def _sweeper(self) -> LambdaFunction:
        platform = self._platform
        variables: Variables = {
            "catalog_table": platform.catalog.name,
            "requests_table": platform.requests.name,
            "results_bucket": platform.store.results.name,
            "succeeded_topic": platform.notifications.succeeded_topic,
            "failed_topic": platform.notifications.failed_topic,
        }
        statements = [
            platform.catalog.statement_to_read(),
            platform.catalog.statement_to_list(),
            platform.requests.statement_to_advance(),
            platform.requests.statement_to_read_many(),
            platform.requests.statement_to_query(DUE),
            *platform.store.statements_to_give_up(),
            platform.notifications.statement_to_publish(),
            statement_to_measure(platform.stack, platform.custody),
            statement_to_look_at_dead_letters(platform.stack, platform.custody),
        ]
        args = platform.function_args(
            SweeperEnvironment,
            variables,
            statements,
            platform.caller_places.statements_to_give_up(),
            timeout_seconds=_SWEEPER_TIMEOUT_SECONDS,
            memory_mb=_SWEEPER_MEMORY_MB,
        )
        function = LambdaFunction(f"{self._name}-sweeper", args, self._child)
        self._schedule_sweeper(function)
        return function

    def _schedule_sweeper(self, function: LambdaFunction) -> None:
        account_id = self._platform.custody.account_id
        args = ScheduleArgs(account_id=account_id, function=function, rate="rate(1 minute)")
        Schedule(f"{self._name}-sweeper", args, self._child)
