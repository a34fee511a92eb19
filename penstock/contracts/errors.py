"""The one error tree: every error that Penstock raises on purpose is a `PenstockError`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.contracts.request import AsyncRequest, RequestState


class PenstockError(Exception):
    """Root of all errors raised on purpose; `str(error)` is fit for the person who caused it."""


class SettingsError(PenstockError):
    """A process or a stack is configured wrongly; the text names the variable or key."""


class CallerError(PenstockError):
    """The caller asked for something that cannot be done; nothing was changed."""


class InvalidSubmissionError(CallerError):
    """A field of the submission is missing, unknown or out of range."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class PayloadTooLargeError(CallerError):
    """The body is larger than the stack accepts."""

    def __init__(self, actual_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"payload size of {actual_bytes} bytes exceeds maximum size of {limit_bytes} bytes"
        )
        self.actual_bytes = actual_bytes
        self.limit_bytes = limit_bytes


class UnauthorizedError(CallerError):
    """The API key is missing, unknown, expired or revoked."""


class UnknownModelError(CallerError):
    """No such model, environment or deployment."""


class UnknownRequestError(CallerError):
    """No such request, or it belongs to another tenant: the two look the same on purpose."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} does not exist")
        self.request_id = request_id


class ResultNotReadyError(CallerError):
    """The request has no result (yet)."""

    def __init__(self, request_id: str, state: "RequestState", explanation: str = "") -> None:
        text = f"request {request_id} has no result: it is {state}"
        super().__init__(f"{text} ({explanation})" if explanation else text)
        self.request_id = request_id
        self.state = state


class IdempotencyConflictError(CallerError):
    """The idempotency key was used before with another payload."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"this idempotency key belongs to request {request_id}, which has another payload"
        )
        self.request_id = request_id


class RateLimitedError(CallerError):
    """The tenant sends too fast or has too much outstanding; nothing was accepted."""

    def __init__(self, reason: str, retry_after_seconds: int) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class ProtocolError(PenstockError):
    """A step of the request protocol was refused because the row says otherwise."""


class IllegalMoveError(ProtocolError):
    """The life cycle forbids this move."""

    def __init__(self, request_id: str, state: "RequestState", wanted: "RequestState") -> None:
        super().__init__(f"request {request_id} is {state} and cannot become {wanted}")
        self.request_id = request_id
        self.state = state
        self.wanted = wanted


class DuplicateRequestError(ProtocolError):
    """A request with this id was accepted before."""

    def __init__(self, existing: "AsyncRequest") -> None:
        super().__init__(f"request {existing.request_id} exists")
        self.existing = existing


class ClaimRefusedError(ProtocolError):
    """The request cannot be claimed now; `current` says why (`None`: there is no such row)."""

    def __init__(self, request_id: str, current: "AsyncRequest | None") -> None:
        state = current.state if current else "unknown"
        super().__init__(f"request {request_id} cannot be claimed: it is {state}")
        self.request_id = request_id
        self.current = current


class LeaseLostError(ProtocolError):
    """The attempt no longer holds the request: write nothing, delete nothing."""

    def __init__(self, request_id: str, attempt: int) -> None:
        super().__init__(f"attempt {attempt} no longer holds request {request_id}")
        self.request_id = request_id
        self.attempt = attempt


class UnreadableRowError(PenstockError):
    """The row of a request cannot be read: another version of Penstock wrote it."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was written by another version and cannot be read")
        self.request_id = request_id


class InputUnreadableError(PenstockError):
    """The payload that a request points to cannot be read, now or later; the text says why."""


class ObjectGoneError(PenstockError):
    """What was stored lies no longer in its place."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"{uri} has gone")
        self.uri = uri


class PlaceRefusedError(PenstockError):
    """A place that a deployment names for results does not take objects from us."""


class TopicRefusedError(PenstockError):
    """A topic that a deployment names does not take messages from us."""


class RoleRefusedError(PenstockError):
    """A role of a model's own may not be assumed."""

    def __init__(self, role_arn: str, reason: str) -> None:
        super().__init__(f"{role_arn} cannot be assumed: {reason}")
        self.role_arn, self.reason = role_arn, reason


class UnavailableError(PenstockError):
    """AWS throttled or failed a call; the same call may succeed later."""

    advice = "temporarily unavailable; send the same call again"
    """What callers of the API are told."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation} failed: {reason}")
        self.operation = operation
        self.reason = reason


class QueueGoneError(UnavailableError):
    """A deployment was removed with its queue, and the catalog that was asked did not know yet."""

    advice = "the deployment was just removed; send the same call again in a minute"

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "the queue does not exist")
