"""SageMaker's half of the intake."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from functions.http_answer import HttpAnswer
from functions.http_api import Operation, answer
from functions.identification import Identification
from functions.intake.acceptance import record_acceptance
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.dialects.http_call import HttpCall
from penstock.dialects.sagemaker.answers import accepted
from penstock.dialects.sagemaker.endpoint import find_endpoint
from penstock.dialects.sagemaker.invocation import read_invocation
from penstock.dialects.sagemaker.submission import read_submission


@dataclass(frozen=True, kw_only=True)
class Invocations:
    """Accepts invocations of endpoints; whose they are is said by their signatures."""

    service: IntakeService
    identification: Identification
    results_bucket: str
    """Where results lie for which their deployment names no place."""

    count: Count

    def operations(self) -> Mapping[str, Operation]:
        """Return what serves the operations of this dialect."""
        return {"sagemaker_invoke_async": self._invoke}

    def _invoke(self, call: HttpCall) -> HttpAnswer:
        invocation = read_invocation(call)
        deployment = find_endpoint(invocation.endpoint_name, self.service.catalog)
        submission = read_submission(
            call, invocation, deployment, results_bucket=self.results_bucket
        )
        request = self.service.accept_at(submission, deployment)
        record_acceptance(request, submission, self.count)
        return answer(HTTPStatus.ACCEPTED, *accepted(request))
