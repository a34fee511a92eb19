"""HTTP in and out of the intake function, each dialect in a module of its own."""

from functions.http_api import HttpApi, create_api
from functions.intake.baseten import BasetenCalls
from functions.intake.batch import BatchIntake
from functions.intake.datacrunch import ContainerCalls
from functions.intake.sagemaker import Invocations
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.dialects.baseten.submission import SubmissionReader


def create_app(  # noqa: PLR0913 - one for each dialect
    service: IntakeService,
    container_calls: ContainerCalls,
    invocations: Invocations,
    *,
    max_payload_bytes: int,
    webhook_rules: WebhookRules,
    upload_url_seconds: int = 3_600,
    count: Count,
) -> HttpApi:
    """Return the HTTP surface over an already wired service."""
    baseten_calls = BasetenCalls(
        service=service,
        batches=BatchIntake(service=service),
        reader=SubmissionReader(max_payload_bytes=max_payload_bytes, webhook_rules=webhook_rules),
        upload_url_seconds=upload_url_seconds,
        count=count,
    )
    operations = {
        **baseten_calls.operations(),
        **container_calls.operations(),
        **invocations.operations(),
    }
    return create_api("intake", operations, count, invocations.identification.tenant_of)
