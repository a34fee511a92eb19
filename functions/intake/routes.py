"""HTTP in and out of the intake function, each dialect in a module of its own."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from functions.http_api import create_api
from functions.intake import baseten
from functions.intake.datacrunch import ContainerCalls
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.contracts.http.webhook_url import WebhookRules


def create_app(
    service: IntakeService,
    container_calls: ContainerCalls,
    *,
    max_payload_bytes: int,
    webhook_rules: WebhookRules,
    count: Count,
) -> APIGatewayRestResolver:
    """Return the HTTP surface over an already wired service."""
    operations = baseten.operations(
        service, max_payload_bytes=max_payload_bytes, webhook_rules=webhook_rules, count=count
    )
    return create_api("intake", {**operations, **container_calls.operations()}, count)
