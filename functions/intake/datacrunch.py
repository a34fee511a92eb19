"""DataCrunch's half of the intake: calls of containers, waited for or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from functions.container_answers import ContainerAnswers
from functions.http_answer import HttpAnswer
from functions.http_api import Operation, answer
from functions.intake.acceptance import record_acceptance
from functions.intake.service import IntakeService
from functions.telemetry import Count
from functions.waiting import Waiting
from penstock.contracts.errors import UnavailableError
from penstock.contracts.request import AsyncRequest
from penstock.dialects.datacrunch.address import read_address
from penstock.dialects.datacrunch.answers import envelope, envelope_headers
from penstock.dialects.datacrunch.call import read_submission
from penstock.dialects.datacrunch.inference_id import INFERENCE_ID_HEADER, shown_id
from penstock.dialects.datacrunch.preferences import PREFER_HEADER, Mode, Preferences
from penstock.dialects.http_call import HttpCall


@dataclass(frozen=True, kw_only=True)
class ContainerCalls:
    """Accepts a call and, if its caller wants that, waits for what the container answers."""

    service: IntakeService
    waiting: Waiting
    answers: ContainerAnswers
    max_payload_bytes: int
    wait_seconds: float
    """The longest wait."""

    count: Count

    def operations(self) -> Mapping[str, Operation]:
        """Return what serves the operations of this dialect."""
        return {"datacrunch_call": self._serve}

    def _serve(self, call: HttpCall) -> HttpAnswer:
        preferences = Preferences.read(call.headers.get(PREFER_HEADER.lower(), ""))
        wait_seconds = preferences.wait_seconds(self.wait_seconds)
        request = self._accepted(call, preferences, is_waited_for=wait_seconds > 0)
        answered = self._answered(request, wait_seconds) if wait_seconds > 0 else None
        response = answered or _answered_later(request, call, preferences)
        response.headers |= {INFERENCE_ID_HEADER: shown_id(request), "Vary": PREFER_HEADER}
        if applied := preferences.applied(self.wait_seconds):
            response.headers["Preference-Applied"] = applied
        if call.method == "HEAD":
            response.body = ""
        return response

    def _accepted(
        self, call: HttpCall, preferences: Preferences, *, is_waited_for: bool
    ) -> AsyncRequest:
        submission = read_submission(
            call,
            preferences,
            max_payload_bytes=self.max_payload_bytes,
            is_waited_for=is_waited_for,
        )
        request = self.service.accept(submission, read_address(call))
        record_acceptance(request, submission, self.count)
        return request

    def _answered(self, request: AsyncRequest, wait_seconds: float) -> HttpAnswer | None:
        """Return the container's answer, or `None` if the caller must ask for it later."""
        try:
            seen = self.waiting.for_end(request.request_id, wait_seconds)
            return self.answers.to_waiting_call(seen) if seen.state.is_terminal else None
        except UnavailableError:
            # The request is accepted: an error would make the caller send it a second time.
            return None


def _answered_later(request: AsyncRequest, call: HttpCall, preferences: Preferences) -> HttpAnswer:
    if preferences.mode is Mode.PROXY:
        return HttpAnswer(HTTPStatus.ACCEPTED)
    headers = envelope_headers(request, call)
    return answer(HTTPStatus.ACCEPTED, envelope(request, call), headers)
