"""HTTP in and out of the status function, each dialect in a module of its own."""

from functions.container_answers import ContainerAnswers
from functions.http_answer import HttpAnswer
from functions.http_api import HttpApi, Operation, create_api
from functions.status.baseten import RequestQuestions
from functions.status.datacrunch import ContainerResults
from functions.status.service import StatusService
from functions.telemetry import Count
from functions.waiting import Waiting
from penstock.contracts.ports.limits import RateLimit
from penstock.dialects.http_call import HttpCall


def create_app(
    service: StatusService,
    count: Count,
    *,
    calls: RateLimit | None = None,
    waiting: Waiting | None = None,
) -> HttpApi:
    """Return the HTTP surface over an already wired service.

    Args:
        service: What answers.
        count: Where calls are counted.
        calls: How many calls of a tenant are answered; all if absent.
        waiting: Waits for ends of requests; by the clock if absent.
    """
    questions = RequestQuestions(
        service=service, waiting=waiting or Waiting(requests=service.requests)
    )
    container_results = ContainerResults(
        catalog=service.catalog,
        requests=service.requests,
        answers=ContainerAnswers(
            results=service.results,
            inline_bytes=service.inline_result_bytes,
            url_seconds=service.result_url_seconds,
        ),
    )
    operations = {**questions.operations(), **container_results.operations()}
    if calls is not None:
        operations = {name: _limited(one, calls) for name, one in operations.items()}
    return create_api("status", operations, count)


def _limited(operation: Operation, calls: RateLimit) -> Operation:
    def serve(call: HttpCall) -> HttpAnswer:
        calls.take(call.tenant)
        return operation(call)

    return serve
