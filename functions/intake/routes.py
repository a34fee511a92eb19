"""HTTP in and out of the intake function."""

from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from functions.http_api import answer, create_api
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.contracts.http.baseten import Accepted
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.submission import read_submission
from penstock.dialects.http_call import HttpCall

_logger = Logger(service="intake")


def create_app(
    service: IntakeService, *, max_payload_bytes: int, webhook_rules: WebhookRules, count: Count
) -> APIGatewayRestResolver:
    """Return the HTTP surface over an already wired service."""

    def submit(call: HttpCall) -> Response[str]:
        submission = read_submission(
            call, max_payload_bytes=max_payload_bytes, webhook_rules=webhook_rules
        )
        request = service.accept(submission, read_address(call))
        count("RequestsAccepted")
        _logger.info(
            "request accepted",
            extra={
                "request_id": request.request_id,
                "tenant": request.tenant,
                "deployment_id": request.deployment_id,
                "priority": request.priority,
                "payload_bytes": len(submission.payload),
            },
        )
        accepted = Accepted(request_id=request.request_id)
        return answer(HTTPStatus.CREATED, accepted, {REQUEST_ID_HEADER: request.request_id})

    return create_api("intake", {"submit": submit}, count)
