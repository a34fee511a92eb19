"""What a container answered, as our answer to who waits for it or asks for it."""

from dataclasses import dataclass
from http import HTTPStatus

from functions.http_answer import HttpAnswer
from functions.inline_answer import inline_answer, redirect
from penstock.contracts.errors import ObjectGoneError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.dialects.datacrunch.answers import error_text, failure_status, result_type
from penstock.dialects.datacrunch.errors import ErrorText


@dataclass(frozen=True, kw_only=True)
class ContainerAnswers:
    """Answers for requests that have ended."""

    results: ResultStore
    inline_bytes: int
    """A longer result is answered by a redirect to S3."""

    url_seconds: int

    def to_waiting_call(self, request: AsyncRequest) -> HttpAnswer:
        """Return the answer to the call itself: the container's, with its status and type."""
        stored = request.result
        if request.state is not RequestState.SUCCEEDED or stored is None:
            return self._failed(request)
        return self._succeeded(stored, stored.http_status or HTTPStatus.OK)

    def to_question(self, request: AsyncRequest) -> HttpAnswer:
        """Return the answer to who asks for the result: a success is 200, whatever it was."""
        if request.result is not None:
            exact = {"content_type": result_type(request.result.content_type)}
            stored = request.result.model_copy(update=exact)
            request = request.model_copy(update={"result": stored})
            if request.state is RequestState.SUCCEEDED:
                return self._succeeded(stored, HTTPStatus.OK)
        return self._failed(request)

    def _succeeded(self, stored: StoredObject, status: int) -> HttpAnswer:
        if stored.size_bytes > self.inline_bytes:
            return redirect(self.results.url(stored, self.url_seconds))
        return self._inline(stored, status)

    def _failed(self, request: AsyncRequest) -> HttpAnswer:
        stored = request.result
        answered = stored.http_status if stored is not None else None
        if stored is not None and answered is not None and stored.size_bytes <= self.inline_bytes:
            return self._inline(stored, answered)
        # Not a redirect: it would hide the status.
        text = ErrorText(error=error_text(request) or "").model_dump_json()
        status = answered or failure_status(request)
        return HttpAnswer.json(status, text)

    def _inline(self, stored: StoredObject, status: int) -> HttpAnswer:
        try:
            content = self.results.read(stored)
        except ObjectGoneError:
            text = ErrorText(error="what is stored passes away after a while, and this has")
            return HttpAnswer.json(HTTPStatus.GONE, text.model_dump_json())
        return inline_answer(status, content, stored.content_type)
