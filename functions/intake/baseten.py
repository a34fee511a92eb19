"""Baseten's half of the intake, and what Penstock takes in beyond it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from functions.http_answer import HttpAnswer
from functions.http_api import Operation, answer
from functions.intake.acceptance import record_acceptance
from functions.intake.batch import BatchIntake
from functions.intake.service import IntakeService
from functions.telemetry import Count
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import CallerError, InputUnreadableError, InvalidSubmissionError
from penstock.contracts.http.baseten import Accepted
from penstock.contracts.http.native import UploadPlace, UploadRequest
from penstock.contracts.http.signature import REQUEST_ID_HEADER
from penstock.contracts.origin import InputLocation
from penstock.contracts.request import AsyncRequest, Tenant
from penstock.contracts.submission import Submission
from penstock.dialects.address import Address
from penstock.dialects.baseten.address import read_address
from penstock.dialects.baseten.batch import Items, batch_answer, read_batch, read_lines
from penstock.dialects.baseten.submission import SubmissionReader, read_body
from penstock.dialects.http_call import HttpCall

MOST_FILE_BYTES = 64 * 1024**2
"""A longer file of JSON lines is refused: its requests must fit into memory."""


@dataclass(frozen=True, kw_only=True)
class BasetenCalls:
    """Takes in what callers of the Baseten API send."""

    service: IntakeService
    batches: BatchIntake
    reader: SubmissionReader
    upload_url_seconds: int
    count: Count

    def operations(self) -> Mapping[str, Operation]:
        """Return what serves the operations of this dialect."""
        return {
            "submit": self._submit,
            "submit_chain": self._submit_chain,
            "submit_batch": self._submit_batch,
            "wake": self._wake,
            "create_upload": self._create_upload,
        }

    def _submit(self, call: HttpCall) -> HttpAnswer:
        return self._accepted(self.reader.read(call), call)

    def _submit_chain(self, call: HttpCall) -> HttpAnswer:
        return self._accepted(self.reader.read_chain(call), call)

    def _accepted(self, submission: Submission, call: HttpCall) -> HttpAnswer:
        request = self.service.accept(submission, read_address(call))
        record_acceptance(request, submission, self.count)
        accepted = Accepted(request_id=request.request_id)
        return answer(HTTPStatus.CREATED, accepted, {REQUEST_ID_HEADER: request.request_id})

    def _submit_batch(self, call: HttpCall) -> HttpAnswer:
        address = read_address(call)
        deployment = self.service.resolve(address)
        batch = read_batch(call)
        items = (
            self._lines(batch, call.tenant, deployment)
            if isinstance(batch, InputLocation)
            else batch
        )
        submissions = [self._submission(item, call.tenant, address) for _, item in items]
        ends = self.batches.accept(submissions, deployment)
        for submission, end in zip(submissions, ends, strict=True):
            if isinstance(submission, Submission) and isinstance(end, AsyncRequest):
                record_acceptance(end, submission, self.count)
        return answer(HTTPStatus.OK, batch_answer(items, ends))

    def _lines(self, location: InputLocation, tenant: Tenant, deployment: Deployment) -> Items:
        self.service.check_readable(location, tenant, deployment)
        with tempfile.TemporaryFile() as file:
            try:
                self.service.payloads.fetch(location, file, MOST_FILE_BYTES)
            except InputUnreadableError as error:
                raise InvalidSubmissionError("input_location", str(error)) from error
            file.seek(0)
            return read_lines(file)

    def _submission(
        self, item: bytes, tenant: Tenant, address: Address
    ) -> Submission | CallerError:
        try:
            return self.reader.read_item(item, tenant, address)
        except CallerError as error:
            return error

    def _wake(self, call: HttpCall) -> HttpAnswer:
        wake_id = self.service.wake(read_address(call), call.tenant)
        return HttpAnswer.json(HTTPStatus.ACCEPTED, "{}", {REQUEST_ID_HEADER: wake_id})

    def _create_upload(self, call: HttpCall) -> HttpAnswer:
        wanted = read_body(UploadRequest, call.body or b"{}")
        upload = self.service.upload(call.tenant, wanted.content_type, self.upload_url_seconds)
        place = UploadPlace(
            url=upload.url,
            method=upload.method,
            headers=upload.headers,
            location=upload.location.uri,
            expires_in_seconds=upload.expires_in_seconds,
        )
        return answer(HTTPStatus.CREATED, place)
