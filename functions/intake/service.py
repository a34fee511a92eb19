"""Accepting a request: payload, row, message, in this order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from functions.intake.admission import Admission
from penstock.contracts.directory.catalog import Deployment
from penstock.contracts.errors import (
    CallerError,
    DuplicateRequestError,
    IdempotencyConflictError,
    InvalidSubmissionError,
    UnknownRequestError,
)
from penstock.contracts.message import QueueMessage
from penstock.contracts.origin import Location
from penstock.contracts.ports.clock import Clock
from penstock.contracts.ports.directory import Catalog
from penstock.contracts.ports.objects import PayloadStore, Upload
from penstock.contracts.ports.requests import RequestQueue, RequestStore
from penstock.contracts.request import AsyncRequest, RequestId, RequestState, Tenant
from penstock.contracts.request_id import fresh_request_id
from penstock.contracts.submission import Submission
from penstock.dialects.address import Address

_LOWEST_PRIORITY = 2

_logger = Logger(service="intake")


def _untraced() -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class IntakeService:
    """Accepts submissions of any dialect."""

    catalog: Catalog
    requests: RequestStore
    payloads: PayloadStore
    queue_of: Callable[[Deployment], RequestQueue]
    clock: Clock
    admission: Admission | None = None
    """`None`: tenants have no limits."""

    traceparent: Callable[[], str | None] = _untraced
    """Where the trace stands in which a request is accepted."""

    def resolve(self, address: Address) -> Deployment:
        """Return the deployment that an address means; raise `UnknownModelError`."""
        return address.resolve(self.catalog)

    def accept(self, submission: Submission, address: Address) -> AsyncRequest:
        """Store and queue a request for whatever deployment an address means; see `accept_at`."""
        return self.accept_at(submission, self.resolve(address))

    def accept_at(self, submission: Submission, deployment: Deployment) -> AsyncRequest:
        """Store and queue a request; a repeat with the same idempotency key finds the first.

        Before the row there is at most a payload that nobody refers to; it passes away. After
        it, a failure withdraws the request, unless the caller's repeat can find and queue it. A
        crash leaves a request that nobody was told of: it expires, or the repeat queues it.

        Raises:
            InvalidSubmissionError: it points to an input that its caller may not have read.
            IdempotencyConflictError: the key was used with another submission.
            RateLimitedError: the tenant sends too fast or has too much outstanding.
            UnavailableError: nothing was accepted; the caller must send it again.
        """
        self.check_input(submission, deployment)
        if self.admission is not None:
            self.admission.admit(submission.tenant)
        request, message = self.prepare(submission, deployment)
        with self.withdrawing(request, submission):
            request, waits_at = self.store(request, submission, deployment)
            if waits_at is not None:
                queue = self.queue_of(waits_at)
                queue.send(message, priority=request.priority, tenant=request.tenant)
        return request

    def wake(self, address: Address, tenant: Tenant) -> str:
        """Make the queue of a deployment longer by a message that only starts a worker.

        Raises:
            RateLimitedError: the tenant calls too often.
            UnavailableError: the message was not taken.
        """
        deployment = self.resolve(address)
        if self.admission is not None:
            self.admission.count_call(tenant)
        wake_id = fresh_request_id(deployment.model_id)
        message = QueueMessage.wake_up(wake_id)
        self.queue_of(deployment).send(message, priority=_LOWEST_PRIORITY, tenant=tenant)
        return wake_id

    def upload(self, tenant: Tenant, content_type: str, lifetime_seconds: int) -> Upload:
        """Return a place that the caller may write once; raise `RateLimitedError`."""
        if self.admission is not None:
            self.admission.count_call(tenant)
        return self.payloads.upload(tenant, content_type, lifetime_seconds)

    def check_input(self, submission: Submission, deployment: Deployment) -> None:
        """Pass if the caller may have its input read there; raise `InvalidSubmissionError`."""
        if submission.input is not None:
            self.check_readable(submission.input, submission.tenant, deployment)

    def check_readable(self, location: Location, tenant: Tenant, deployment: Deployment) -> None:
        """Pass if a tenant may have a place read for a deployment's requests.

        Raises:
            InvalidSubmissionError: it may not.
        """
        if location.bucket in deployment.input_buckets:
            return
        if not self.payloads.may_read(tenant, location):
            raise InvalidSubmissionError(
                "input location",
                f"bucket {location.bucket} is not among the deployment's input_buckets,"
                " and the object is no upload of yours",
            )

    def prepare(
        self, submission: Submission, deployment: Deployment
    ) -> tuple[AsyncRequest, QueueMessage]:
        """Return row and message of a submission; a payload too large for a message is stored."""
        submission = submission.model_copy(update={"chain_id": deployment.chain_id})
        request = submission.accepted(deployment.model_id, deployment.deployment_id, self.clock())
        message = self._message(request.request_id, submission)
        return request, message.model_copy(update={"traceparent": self.traceparent()})

    def store(
        self, request: AsyncRequest, submission: Submission, deployment: Deployment
    ) -> tuple[AsyncRequest, Deployment | None]:
        """Put a row, or find the one that it repeats; return also who wants its message, if any.

        Raises:
            IdempotencyConflictError: the key was used with another submission.
        """
        try:
            self.requests.accept(request)
        except DuplicateRequestError as duplicate:
            existing = duplicate.existing
            if not _is_repeat(existing, request):
                if submission.any_repeat_is_same and existing.tenant == request.tenant:
                    return existing, None
                raise IdempotencyConflictError(existing.request_id) from duplicate
            waits = existing.state is RequestState.QUEUED and not existing.was_claimed
            return existing, self._deployment_of(existing, deployment) if waits else None
        return request, deployment

    @contextmanager
    def withdrawing(self, request: AsyncRequest, submission: Submission) -> Iterator[None]:
        """Withdraw a request if something goes wrong inside that is not its caller's fault."""
        try:
            yield
        except CallerError:
            raise  # a row under this id, if there is one, is another submission's
        except Exception:
            self.withdraw(request, submission)
            raise

    def withdraw(self, request: AsyncRequest, submission: Submission) -> None:
        """Cancel what may be half accepted, unless its caller's repeat can find and queue it.

        Nobody is told of its end, as nobody was told of the request.
        """
        if submission.may_be_repeated:
            return
        try:
            withdrawn = self.requests.cancel(request.request_id)
            if withdrawn.state is RequestState.CANCELED and withdrawn.is_unannounced:
                self.requests.mark_notified(withdrawn)
        except UnknownRequestError:
            pass
        except Exception:  # why it is withdrawn matters more; the row expires
            _logger.exception("request not withdrawn", extra={"request_id": request.request_id})

    def _deployment_of(self, existing: AsyncRequest, deployment: Deployment) -> Deployment | None:
        """Return where a request waits that was accepted before; `None` if that was removed."""
        if existing.deployment_id == deployment.deployment_id:
            return deployment
        model = self.catalog.find_model(existing.model_id)
        return model.deployments.get(existing.deployment_id) if model else None

    def _message(self, request_id: RequestId, submission: Submission) -> QueueMessage:
        call = submission.call
        if submission.input is not None:
            return QueueMessage.reading(request_id, submission.input, call)
        payload, content_type = submission.payload, submission.content_type
        if message := QueueMessage.inline(request_id, payload, content_type, call):
            return message
        stored = self.payloads.put(request_id, payload, content_type)
        return QueueMessage.pointing_to(request_id, stored, call)


def _is_repeat(existing: AsyncRequest, request: AsyncRequest) -> bool:
    """Whether both rows stand for one submission of one tenant."""
    return (existing.tenant, existing.submission_sha256) == (
        request.tenant,
        request.submission_sha256,
    )
