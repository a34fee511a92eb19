"""Entry point of the status function."""

from functions import cold_start  # isort: skip  # before all that takes time

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.status.routes import create_app
from functions.status.service import StatusService
from functions.telemetry import telemetry
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoCatalog
from penstock.adapters.aws.limits import DynamoRateLimit
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.environments import StatusEnvironment
from penstock.contracts.ports.clock import utc_now

_telemetry = telemetry("status")
_environment = StatusEnvironment.read()  # fails the cold start, not the first call


def _queue_of(deployment: Deployment) -> SqsRequestQueue:
    return SqsRequestQueue(deployment.queue_urls, client("sqs"))


def _calls() -> DynamoRateLimit | None:
    if not _environment.tenant_calls_per_second:
        return None
    return DynamoRateLimit(
        _environment.limits_table,
        _environment.tenant_calls_per_second,
        client("dynamodb"),
        counted="calls",
    )


_api = create_app(
    StatusService(
        catalog=DynamoCatalog(_environment.catalog_table, client("dynamodb"), utc_now),
        requests=DynamoRequestStore(_environment.requests_table, client("dynamodb")),
        results=S3ResultStore(_environment.results_bucket, client("s3", on_demand=True)),
        queue_of=_queue_of,
        inline_result_bytes=_environment.inline_result_bytes,
        result_url_seconds=_environment.result_url_seconds,
    ),
    _telemetry.count,
    calls=_calls(),
)
cold_start.is_over()


@_telemetry.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@_telemetry.metrics.log_metrics(capture_cold_start_metric=True)
def handle(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP call."""
    return _api.serve(event)
