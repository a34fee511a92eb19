"""Questions of Baseten callers, and what Penstock tells beyond them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from functions.http_answer import HttpAnswer
from functions.http_api import Operation, answer
from functions.inline_answer import inline_answer, redirect
from functions.status.service import InlineResult, StatusService
from functions.waiting import Waiting
from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.native import RequestList, StatusAnswers, StatusQuestion
from penstock.contracts.request_id import read_request_id
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.answers import cancel_answer, queue_status, request_status
from penstock.dialects.baseten.listing import read_listing, read_wait_seconds
from penstock.dialects.baseten.submission import read_body
from penstock.dialects.http_call import HttpCall


@dataclass(frozen=True, kw_only=True)
class RequestQuestions:
    """Answers about requests, each only to its own tenant."""

    service: StatusService
    waiting: Waiting

    def operations(self) -> Mapping[str, Operation]:
        """Return what serves the operations of this dialect."""
        return {
            "get_request": self._status,
            "get_statuses": self._statuses,
            "list_requests": self._list,
            "cancel_request": self._cancel,
            "get_result": self._result,
            "queue_status": self._queue_status,
        }

    def _status(self, call: HttpCall) -> HttpAnswer:
        wait_seconds = read_wait_seconds(call)
        request = self.service.find(_request_id(call), call.tenant, read_address(call))
        if wait_seconds and not request.state.is_terminal:
            request = self.waiting.for_end(request.request_id, wait_seconds)
        return answer(HTTPStatus.OK, request_status(request))

    def _statuses(self, call: HttpCall) -> HttpAnswer:
        asked = read_body(StatusQuestion, call.body).request_ids
        found = self.service.find_many(asked, call.tenant)
        ids = {request.request_id for request in found}
        answers = StatusAnswers(
            requests=tuple(map(request_status, found)),
            missing=tuple(
                each for each in dict.fromkeys(asked) if read_request_id(each) not in ids
            ),
        )
        return answer(HTTPStatus.OK, answers)

    def _list(self, call: HttpCall) -> HttpAnswer:
        page = self.service.list_requests(call.tenant, read_address(call), read_listing(call))
        found = RequestList(requests=tuple(map(request_status, page.requests)), next=page.next)
        return answer(HTTPStatus.OK, found)

    def _cancel(self, call: HttpCall) -> HttpAnswer:
        request = self.service.cancel(
            _request_id(call), call.tenant, read_address(call), force=_is_forced(call)
        )
        return answer(HTTPStatus.OK, cancel_answer(request))

    def _result(self, call: HttpCall) -> HttpAnswer:
        result = self.service.result(_request_id(call), call.tenant, read_address(call))
        if isinstance(result, InlineResult):
            return inline_answer(HTTPStatus.OK, result.content, result.content_type)
        return redirect(result.url)

    def _queue_status(self, call: HttpCall) -> HttpAnswer:
        return answer(HTTPStatus.OK, queue_status(*self.service.depth(read_address(call))))


def _request_id(call: HttpCall) -> str:
    return call.path_parameters["request_id"]


def _is_forced(call: HttpCall) -> bool:
    value = call.query.get("force", "false").lower()
    if value not in {"true", "false"}:
        raise InvalidSubmissionError("force", "must be true or false")
    return value == "true"
