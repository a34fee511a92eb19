"""Looking at a request, cancelling it, fetching its result."""

from collections.abc import Callable
from dataclasses import dataclass

from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import ResultNotReadyError, UnknownRequestError
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import QueueDepth, RequestQueue, RequestStore
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, Tenant
from penstock.dialects.address import Address
from penstock.dialects.baseten.answers import shown_errors
from penstock.dialects.media_type import is_json


@dataclass(frozen=True)
class InlineResult:
    """A small JSON result, as the model wrote it."""

    text: str
    content_type: str


@dataclass(frozen=True)
class ResultElsewhere:
    """Any other result: where it can be read for a while."""

    url: str


@dataclass(frozen=True, kw_only=True)
class StatusService:
    """Answers about requests, each only to its own tenant."""

    catalog: Catalog
    requests: RequestStore
    results: ResultStore
    queue_of: Callable[[Deployment], RequestQueue]
    inline_result_bytes: int
    result_url_seconds: int

    def find(self, request_id: str, tenant: Tenant, address: Address) -> AsyncRequest:
        """Return a request.

        Raises:
            UnknownRequestError: there is none, or it is another tenant's or another model's.
        """
        request = self.requests.find(RequestId(request_id))
        if request is None or request.tenant != tenant or not address.may_mean(request.model_id):
            raise UnknownRequestError(request_id)
        return request

    def cancel(
        self, request_id: str, tenant: Tenant, address: Address, *, force: bool
    ) -> AsyncRequest:
        """Cancel a request if it is not too late; return what it is afterwards.

        Raises:
            UnknownRequestError: as `find`.
        """
        request = self.find(request_id, tenant, address)
        if request.state.is_terminal:
            return request
        return self.requests.cancel(request.request_id, force=force)

    def result(
        self, request_id: str, tenant: Tenant, address: Address
    ) -> InlineResult | ResultElsewhere:
        """Return a request's result or where it lies.

        Raises:
            UnknownRequestError: as `find`.
            ResultNotReadyError: it has none, or none yet.
        """
        request = self.find(request_id, tenant, address)
        if request.state is not RequestState.SUCCEEDED or request.result is None:
            reasons = [f"{fault.code}: {fault.message}" for fault in shown_errors(request)]
            raise ResultNotReadyError(request_id, request.state, "; ".join(reasons))
        return self._inline(request.result) or ResultElsewhere(
            self.results.url(request.result, self.result_url_seconds)
        )

    def depth(self, address: Address) -> tuple[Deployment, QueueDepth]:
        """Return the deployment an address means, and how much waits and runs there.

        Raises:
            UnknownModelError: the address leads to no deployment.
        """
        deployment = address.resolve(self.catalog)
        return deployment, self.queue_of(deployment).depth()

    def _inline(self, result: StoredObject) -> InlineResult | None:
        if result.size_bytes > self.inline_result_bytes or not is_json(result.content_type):
            return None
        try:
            text = self.results.read(result).decode()
        except UnicodeDecodeError:
            return None  # it says it is JSON, but is not; the caller shall have its bytes
        return InlineResult(text, result.content_type)
