"""Entry point of the webhooks function."""

from functions import cold_start  # isort: skip  # before all that takes time

import random
from typing import Any

from aws_lambda_powertools import Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.telemetry import telemetry
from functions.webhooks.content import WebhookContent
from functions.webhooks.hosts import Hosts
from functions.webhooks.records import create_consumer
from functions.webhooks.service import WebhookService
from functions.webhooks.traces import attempt_tracing
from penstock.adapters.aws.clients import client
from penstock.adapters.aws.objects import S3ResultStore
from penstock.adapters.aws.requests.store import DynamoRequestStore
from penstock.adapters.aws.signing_secrets import SecretsManagerSigningSecrets
from penstock.adapters.aws.webhooks.webhook_queue import SqsWebhookQueue
from penstock.adapters.webhooks.sender import PinnedWebhookSender
from penstock.contracts.environments import WebhooksEnvironment
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.contracts.ports.clock import utc_now

_telemetry = telemetry("webhooks")
# Nothing but AWS calls is traced: a patched HTTP client would send our trace header to receivers.
_tracer = Tracer(service="webhooks", patch_modules=("botocore",))
_environment = WebhooksEnvironment.read()  # fails the cold start, not the first record
_consume = create_consumer(
    WebhookService(
        requests=DynamoRequestStore(_environment.requests_table, client("dynamodb")),
        content=WebhookContent(
            results=S3ResultStore(_environment.results_bucket, client("s3")),
            max_body_bytes=_environment.max_body_bytes,
            result_url_seconds=_environment.result_url_seconds,
        ),
        secrets=SecretsManagerSigningSecrets(
            _environment.signing_secret_id, client("secretsmanager")
        ),
        sender=PinnedWebhookSender(timeout_seconds=_environment.timeout_seconds),
        queue=SqsWebhookQueue(
            _environment.webhook_queue_url,
            client("sqs"),
            dead_letter_queue_url=_environment.webhook_dead_letter_queue_url,
        ),
        hosts=Hosts(utc_now),
        rules=WebhookRules(
            allow_local=_environment.allow_local_webhooks, ports=_environment.webhook_ports
        ),
        max_attempts=_environment.max_attempts,
        clock=utc_now,
        jitter=random.random,
    ),
    _telemetry.count,
    attempt_tracing(_tracer),
)
cold_start.is_over()


@_telemetry.logger.inject_lambda_context
@_tracer.capture_lambda_handler(capture_response=False)
@_telemetry.metrics.log_metrics(capture_cold_start_metric=True)
def handle(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Attempt each webhook of a batch; name the messages that must stay."""
    return _consume(event)
