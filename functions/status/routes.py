"""HTTP in and out of the status function."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from functions.container_answers import ContainerAnswers
from functions.http_api import answer, create_api
from functions.status.datacrunch import ContainerResults
from functions.status.service import InlineResult, StatusService
from functions.telemetry import Count
from penstock.contracts.errors import InvalidSubmissionError
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.answers import cancel_answer, queue_status, request_status
from penstock.dialects.http_call import HttpCall


def create_app(service: StatusService, count: Count) -> APIGatewayRestResolver:
    """Return the HTTP surface over an already wired service."""

    def get_request(call: HttpCall) -> Response[str]:
        request = service.find(call.path_parameters["request_id"], call.tenant, read_address(call))
        return answer(HTTPStatus.OK, request_status(request))

    def cancel_request(call: HttpCall) -> Response[str]:
        request = service.cancel(
            call.path_parameters["request_id"],
            call.tenant,
            read_address(call),
            force=_is_forced(call),
        )
        return answer(HTTPStatus.OK, cancel_answer(request))

    def get_result(call: HttpCall) -> Response[str]:
        result = service.result(call.path_parameters["request_id"], call.tenant, read_address(call))
        if isinstance(result, InlineResult):
            return Response(HTTPStatus.OK, result.content_type, result.text)
        return Response(HTTPStatus.SEE_OTHER, headers={"Location": result.url})

    def get_queue_status(call: HttpCall) -> Response[str]:
        return answer(HTTPStatus.OK, queue_status(*service.depth(read_address(call))))

    container_results = ContainerResults(
        requests=service.requests,
        answers=ContainerAnswers(
            results=service.results,
            inline_bytes=service.inline_result_bytes,
            url_seconds=service.result_url_seconds,
        ),
    )
    operations = {
        **container_results.operations(),
        "get_request": get_request,
        "cancel_request": cancel_request,
        "get_result": get_result,
        "queue_status": get_queue_status,
    }
    return create_api("status", operations, count)


def _is_forced(call: HttpCall) -> bool:
    value = call.query.get("force", "false").lower()
    if value not in {"true", "false"}:
        raise InvalidSubmissionError("force", "must be true or false")
    return value == "true"
