"""What any dialect turns a client's call into, and how its identity is derived."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from penstock.contracts.contract import Contract
from penstock.contracts.origin import (
    ContainerCall,
    Destination,
    Dialect,
    InputLocation,
    Location,
    SageMakerInvocation,
)
from penstock.contracts.request import (
    AsyncRequest,
    Priority,
    RequestId,
    RetryPolicy,
    Tenant,
    WebhookStatus,
)
from penstock.contracts.request_id import as_uuid, fresh_request_id, repeated_request_id

ROW_LIFETIME = timedelta(days=7)
"""How long a row outlives its deadline; the status stays readable that long."""


_NOT_SENT = {
    "tenant", "payload", "idempotency_key", "key_is_spent", "any_repeat_is_same",
    "chain_id", "output", "invocation",
}  # fmt: skip
"""Members of a submission that say who sent it, or what the platform made of what was sent."""


class Target(Contract):
    """Whom the caller addressed: exactly one of environment and deployment."""

    model_id: str
    environment: str | None = None
    deployment_id: str | None = None


class OutputPlace(Contract):
    """In which folders a caller wants result and failure document, and under what name."""

    result_folder: Location
    failure_folder: Location
    file_name: str | None = None
    """The result's name; absent: `<request_id>.out`, the id with hyphens."""

    def destination(self, request_id: RequestId) -> Destination:
        """Return where the objects of a request lie."""
        shown_id = as_uuid(request_id)
        name = self.file_name or f"{shown_id}.out"
        return Destination(
            result=_within(self.result_folder, name),
            failure=_within(self.failure_folder, f"{shown_id}-error.out"),
        )


class Submission(Contract):
    """One inference that a caller wants, whatever dialect it was written in."""

    tenant: Tenant
    dialect: Dialect = Dialect.BASETEN
    payload: bytes = b""
    input: InputLocation | None = None
    """Where the payload lies, when it does not come with the call."""

    call: ContainerCall | None = None
    """How the model server is to be called; absent: as its preset takes predictions."""

    addressed: str = ""
    """Whom the caller addressed, and where it wants the result, in its own words.

    What these words stand for may change between a call and its repeat.
    """

    caller_id: str | None = None
    chain_id: str | None = None
    output: OutputPlace | None = None
    invocation: SageMakerInvocation | None = None
    content_type: str = "application/json"
    priority: Priority = 0
    max_time_in_queue_seconds: Annotated[int, Field(ge=10, le=259_200)] = 600
    retry: RetryPolicy = RetryPolicy()
    predict_timeout_seconds: Annotated[float, Field(gt=0)] | None = None
    webhook_endpoint: str | None = None
    idempotency_key: str | None = None
    key_is_spent: bool = False
    """Whether nobody will send the idempotency key again: it only names this one call."""

    any_repeat_is_same: bool = False
    """Whether a repeat of the key means the first request even if it says something else."""

    def request_id(self, model_id: str) -> RequestId:
        """Return a fresh id, or the one of tenant, model and idempotency key."""
        if self.idempotency_key is None:
            return fresh_request_id(model_id)
        return repeated_request_id(model_id, self.tenant, self.idempotency_key)

    @property
    def may_be_repeated(self) -> bool:
        """Whether its caller can find the request by sending the same again."""
        return self.idempotency_key is not None and not self.key_is_spent

    def sha256(self) -> str:
        """Return the fingerprint of what was sent, which a repeat under the same key must match.

        What the platform makes of it has no part in it: a repeat means the first request even if
        the target's pointer has moved, or a deployment got another place for results.
        """
        envelope = self.model_dump(mode="json", exclude=_NOT_SENT)
        head = json.dumps(envelope, sort_keys=True).encode()
        return hashlib.sha256(head + b"\0" + self.payload).hexdigest()

    def accepted(self, model_id: str, deployment_id: str, now: datetime) -> AsyncRequest:
        """Return the row of this submission, accepted at `now`."""
        deadline = now + timedelta(seconds=self.max_time_in_queue_seconds)
        request_id = self.request_id(model_id)
        return AsyncRequest(
            request_id=request_id,
            tenant=self.tenant,
            model_id=model_id,
            deployment_id=deployment_id,
            dialect=self.dialect,
            caller_id=self.caller_id,
            chain_id=self.chain_id,
            destination=self.output.destination(request_id) if self.output else None,
            invocation=self.invocation,
            priority=self.priority,
            created_at=now,
            status_at=now,
            deadline_at=deadline,
            max_time_in_queue_seconds=self.max_time_in_queue_seconds,
            purge_at=deadline + ROW_LIFETIME,
            submission_sha256=self.sha256(),
            retry=self.retry,
            attempts_left=self.retry.max_attempts,
            predict_timeout_seconds=self.predict_timeout_seconds,
            webhook_endpoint=self.webhook_endpoint,
            webhook_status=WebhookStatus.PENDING
            if self.webhook_endpoint
            else WebhookStatus.NO_WEBHOOK_PROVIDED,
        )


def _within(folder: Location, name: str) -> Location:
    prefix = folder.key.strip("/")
    return Location(bucket=folder.bucket, key=f"{prefix}/{name}" if prefix else name)
