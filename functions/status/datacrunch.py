"""DataCrunch's half of the status function."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from functions.container_answers import ContainerAnswers
from functions.http_answer import HttpAnswer
from functions.http_api import Operation, answer
from penstock.contracts.errors import ResultNotReadyError, UnknownRequestError
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.requests import RequestStore
from penstock.contracts.request import AsyncRequest
from penstock.contracts.request_id import read_request_id
from penstock.dialects.address import Address
from penstock.dialects.datacrunch.address import read_address
from penstock.dialects.datacrunch.answers import status_answer
from penstock.dialects.datacrunch.inference_id import derived_request_id, need_inference_id
from penstock.dialects.http_call import HttpCall


@dataclass(frozen=True, kw_only=True)
class ContainerResults:
    """Answers about calls of containers, each only to its own tenant."""

    catalog: Catalog
    requests: RequestStore
    answers: ContainerAnswers

    def operations(self) -> Mapping[str, Operation]:
        """Return what serves the operations of this dialect."""
        return {"datacrunch_status": self._status, "datacrunch_result": self._result}

    def _status(self, call: HttpCall) -> HttpAnswer:
        inference_id = need_inference_id(call)
        request = self._find(call, inference_id)
        return answer(HTTPStatus.OK, status_answer(request, inference_id))

    def _result(self, call: HttpCall) -> HttpAnswer:
        inference_id = need_inference_id(call)
        request = self._find(call, inference_id)
        if not request.state.is_terminal:
            raise ResultNotReadyError(inference_id, request.state)
        return self.answers.to_question(request)

    def _find(self, call: HttpCall, inference_id: str) -> AsyncRequest:
        """Return the request of an id that its caller chose or was told, in whatever dialect."""
        address = read_address(call)
        for request in self._candidates(call, address, inference_id):
            if (
                request is not None
                and request.tenant == call.tenant
                and address.may_mean(request.model_id)
            ):
                return request
        raise UnknownRequestError(inference_id)

    def _candidates(
        self, call: HttpCall, address: Address, inference_id: str
    ) -> Iterator[AsyncRequest | None]:
        # A deployment may be gone, and a name may mean another model since: its requests stay.
        for model_id in address.known_models(self.catalog):
            yield self.requests.find(derived_request_id(call, model_id, inference_id))
        yield self.requests.find(read_request_id(inference_id))
        yield self.requests.find_by_caller_id(call.tenant, inference_id)
