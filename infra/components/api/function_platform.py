"""What the functions of the pipeline share: code, logs, and the things that they work on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.components.api.lambda_function import LambdaCode, LambdaFunctionArgs
from infra.components.custody.custody import Custody
from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import Statement
from infra.components.pipeline.caller_places import CallerPlaces
from infra.components.pipeline.generated_secret import GeneratedSecret
from infra.components.pipeline.notifications import Notifications
from infra.components.pipeline.payload_store import PayloadStore
from infra.components.pipeline.table import Table
from penstock.contracts.environments import ProcessEnvironment
from penstock.contracts.observability.metric_names import metrics_namespace

Variables = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class FunctionPlatform:
    """What any function may be given."""

    stack: str
    """Whose request queues they may use."""

    code: LambdaCode
    custody: Custody
    logs: LogKeeping
    requests: Table
    catalog: Table
    api_keys: Table
    limits: Table
    store: PayloadStore
    notifications: Notifications
    caller_places: CallerPlaces
    """What all deployments name."""

    webhook_signing: GeneratedSecret
    access_key_master: GeneratedSecret

    def function_args(  # noqa: PLR0913 - what functions differ in
        self,
        environment: type[ProcessEnvironment],
        variables: Variables,
        statements: Sequence[Statement],
        growing_statements: Sequence[Statement] = (),
        *,
        timeout_seconds: int,
        memory_mb: int = 512,
    ) -> LambdaFunctionArgs:
        """Return what the function that reads `environment` needs to know."""
        return LambdaFunctionArgs(
            code=self.code,
            process=environment.process,
            environment={
                **environment.variables(**variables),
                "POWERTOOLS_METRICS_NAMESPACE": metrics_namespace(self.stack),
            },
            statements=[*statements, *self.custody.statements_to_use_key(statements)],
            growing_statements=growing_statements,
            logs=self.logs,
            timeout_seconds=timeout_seconds,
            memory_mb=memory_mb,
        )
