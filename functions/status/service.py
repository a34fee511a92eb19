"""Looking at a request, cancelling it, fetching its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import ObjectGoneError, ResultNotReadyError, UnknownRequestError
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.objects import ResultStore
from penstock.contracts.ports.requests import (
    QueueDepth,
    RequestPage,
    RequestQueue,
    RequestStore,
)
from penstock.contracts.request import AsyncRequest, RequestState, Tenant
from penstock.contracts.request_id import read_request_id
from penstock.dialects.address import Address
from penstock.dialects.baseten.answers import shown_errors
from penstock.dialects.baseten.listing import Listing

_LONGEST_ID = 255
_MOST_LOOKS = 10
"""How many pages one call looks through for requests that pass the filters."""


@dataclass(frozen=True)
class InlineResult:
    """A small result, as the model wrote it."""

    content: bytes
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
        """Return a request by its id, else by the id that its caller gave it in any dialect.

        Raises:
            UnknownRequestError: there is none, or it is another tenant's or another model's.
        """
        if len(request_id) <= _LONGEST_ID:
            found = self.requests.find(read_request_id(request_id))
            if _is_shown(found, tenant, address):
                return found
            found = self.requests.find_by_caller_id(tenant, request_id)
            if _is_shown(found, tenant, address):
                return found
        raise UnknownRequestError(request_id)

    def find_many(self, request_ids: Sequence[str], tenant: Tenant) -> Sequence[AsyncRequest]:
        """Return those requests of a tenant that exist, each once, in the order of the ids."""
        ids = list(dict.fromkeys(map(read_request_id, request_ids)))
        found = self.requests.find_many(ids)
        rows = (found[request_id] for request_id in ids if request_id in found)
        return [request for request in rows if request.tenant == tenant]

    def list_requests(self, tenant: Tenant, address: Address, listing: Listing) -> RequestPage:
        """Return a tenant's requests at a deployment that pass the filters, the newest first.

        Raises:
            UnknownModelError: the address leads to no deployment.
            InvalidSubmissionError: `listing.after` is no place in this list.
        """
        deployment = address.resolve(self.catalog)
        found: list[AsyncRequest] = []
        after = listing.after
        for _ in range(_MOST_LOOKS):
            page = self.requests.list_page(
                tenant, deployment.deployment_id, limit=listing.limit - len(found), after=after
            )
            found += filter(listing.wants, page.requests)
            after = page.next
            if page.requests and listing.ends_before(page.requests[-1]):
                return RequestPage(found, None)
            if after is None or len(found) == listing.limit:
                break
        return RequestPage(found, after)

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
        if request.result.size_bytes > self.inline_result_bytes:
            return ResultElsewhere(self.results.url(request.result, self.result_url_seconds))
        try:
            content = self.results.read(request.result)
        except ObjectGoneError as error:
            reason = "what is stored passes away after a while"
            raise ResultNotReadyError(request_id, request.state, reason) from error
        return InlineResult(content, request.result.content_type)

    def depth(self, address: Address) -> tuple[Deployment, QueueDepth]:
        """Return the deployment an address means, and how much waits and runs there.

        Raises:
            UnknownModelError: the address leads to no deployment.
        """
        deployment = address.resolve(self.catalog)
        return deployment, self.queue_of(deployment).depth()


def _is_shown(
    request: AsyncRequest | None, tenant: Tenant, address: Address
) -> TypeGuard[AsyncRequest]:
    return (
        request is not None
        and request.tenant == tenant
        and address.may_mean(request.model_id, request.chain_id)
    )
