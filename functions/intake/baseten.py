"""Baseten's half of the intake."""

from collections.abc import Mapping
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.http_api import Operation, answer
from functions.intake.acceptance import record_acceptance
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.contracts.http.baseten import Accepted
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.contracts.http.webhook_url import WebhookRules
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.submission import SubmissionReader
from penstock.dialects.http_call import HttpCall


def operations(
    service: IntakeService, *, max_payload_bytes: int, webhook_rules: WebhookRules, count: Count
) -> Mapping[str, Operation]:
    """Return what serves the operations of this dialect."""
    reader = SubmissionReader(max_payload_bytes=max_payload_bytes, webhook_rules=webhook_rules)

    def submit(call: HttpCall) -> Response[str]:
        submission = reader.read(call)
        request = service.accept(submission, read_address(call))
        record_acceptance(request, submission, count)
        accepted = Accepted(request_id=request.request_id)
        return answer(HTTPStatus.CREATED, accepted, {REQUEST_ID_HEADER: request.request_id})

    return {"submit": submit}
