"""SageMaker's half of the intake."""

from collections.abc import Mapping
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.http_api import Operation, answer
from functions.intake.acceptance import record_acceptance
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.answers import accepted
from penstock.dialects.sagemaker.endpoint import find_endpoint
from penstock.dialects.sagemaker.invocation import read_invocation
from penstock.dialects.sagemaker.submission import read_submission


def operations(
    service: IntakeService, *, results_bucket: str, count: Count
) -> Mapping[str, Operation]:
    """Return what serves the operations of this dialect."""

    def invoke_async(call: HttpCall) -> Response[str]:
        invocation = read_invocation(call)
        deployment = find_endpoint(invocation.endpoint_name, service.catalog)
        submission = read_submission(call, invocation, deployment, results_bucket=results_bucket)
        request = service.accept_at(submission, deployment)
        record_acceptance(request, submission, count)
        return answer(HTTPStatus.ACCEPTED, *accepted(request))

    return {"sagemaker_invoke_async": invoke_async}
