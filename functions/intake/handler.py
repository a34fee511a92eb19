"""Entry point of the intake function."""

from functions import cold_start  # isort: skip  # before all that takes time

from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.container_answers import ContainerAnswers
from functions.identification import Identification
from functions.intake.admission import Admission
from functions.intake.datacrunch import ContainerCalls
from functions.intake.routes import create_app
from functions.intake.sagemaker import Invocations
from functions.intake.service import IntakeService
from functions.telemetry import telemetry, traceparent
from functions.waiting import Waiting
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.directory import DynamoApiKeyStore, DynamoCatalog
from penstock.adapters.aws.limits import DynamoRateLimit
from penstock.adapters.aws.master_secret import SecretsManagerMasterSecret
from penstock.adapters.aws.objects import S3PayloadStore, S3ResultStore
from penstock.adapters.aws.requests.queue import SqsRequestQueue
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.environments import IntakeEnvironment
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.ports.clock import utc_now

_RESULT_URL_SECONDS = 900

_telemetry = telemetry("intake")
_environment = IntakeEnvironment.read()  # fails the cold start, not the first call


_sqs = client("sqs")  # every submission needs it: made while the function starts


def _queue_of(deployment: Deployment) -> SqsRequestQueue:
    return SqsRequestQueue(deployment.queue_urls, _sqs)


def _rate_limit() -> DynamoRateLimit | None:
    if not _environment.tenant_requests_per_second:
        return None
    return DynamoRateLimit(
        _environment.limits_table, _environment.tenant_requests_per_second, client("dynamodb")
    )


_requests = DynamoRequestStore(_environment.requests_table, client("dynamodb"))
_service = IntakeService(
    catalog=DynamoCatalog(_environment.catalog_table, client("dynamodb"), utc_now),
    requests=_requests,
    payloads=S3PayloadStore(_environment.payloads_bucket, client("s3", on_demand=True)),
    queue_of=_queue_of,
    clock=utc_now,
    admission=Admission(
        rate=_rate_limit(),
        requests=_requests,
        outstanding_limit=_environment.tenant_outstanding_requests,
        clock=utc_now,
    ),
    traceparent=traceparent,
)
_container_calls = ContainerCalls(
    service=_service,
    waiting=Waiting(requests=_requests),
    answers=ContainerAnswers(
        results=S3ResultStore(_environment.results_bucket, client("s3", on_demand=True)),
        inline_bytes=_environment.inline_result_bytes,
        url_seconds=_RESULT_URL_SECONDS,
    ),
    max_payload_bytes=_environment.max_payload_bytes,
    wait_seconds=_environment.wait_seconds,
    count=_telemetry.count,
)
_invocations = Invocations(
    service=_service,
    identification=Identification(
        keys=DynamoApiKeyStore(_environment.api_keys_table, client("dynamodb")),
        master_secret=SecretsManagerMasterSecret(
            _environment.signing_master_secret_id, client("secretsmanager", on_demand=True)
        ),
        clock=utc_now,
    ),
    results_bucket=_environment.results_bucket,
    count=_telemetry.count,
)
_api = create_app(
    _service,
    _container_calls,
    _invocations,
    max_payload_bytes=_environment.max_payload_bytes,
    webhook_rules=WebhookRules(
        allow_local=_environment.allow_local_webhooks, ports=_environment.webhook_ports
    ),
    upload_url_seconds=_environment.upload_url_seconds,
    count=_telemetry.count,
)
cold_start.is_over()


@_telemetry.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@_telemetry.metrics.log_metrics(capture_cold_start_metric=True)
def handle(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP call."""
    return _api.serve(event)
