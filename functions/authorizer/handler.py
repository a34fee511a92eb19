"""Entry point of the authorizer function."""

from functions import cold_start  # isort: skip  # before all that takes time

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.authorizer.policy import create_authorizer
from functions.authorizer.service import AuthorizerService
from functions.telemetry import telemetry
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoApiKeyStore
from penstock.contracts.environments import AuthorizerEnvironment
from penstock.contracts.ports.clock import utc_now

_telemetry = telemetry("authorizer")
_environment = AuthorizerEnvironment.read()  # fails the cold start, not the first call
_authorize = create_authorizer(
    AuthorizerService(
        keys=DynamoApiKeyStore(_environment.api_keys_table, client("dynamodb")), clock=utc_now
    ),
    _telemetry.count,
)
cold_start.is_over()


@_telemetry.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@_telemetry.metrics.log_metrics(capture_cold_start_metric=True)
def handle(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer whether the caller may use the API."""
    return _authorize(event)
