"""What the SDK raises; every error here is a `PenstockError`."""

from collections.abc import Sequence

from penstock.contracts.errors import PenstockError
from penstock.contracts.http.baseten import RequestStatus


class ClientError(PenstockError):
    """Root of the SDK's errors."""


class NotConfiguredError(ClientError):
    """There is no API to talk to, or no key for it; the text says how to give one."""


class ApiUnreachableError(ClientError):
    """The API did not answer: no connection, or none that lasted."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} does not answer: {reason}")
        self.url = url
        self.reason = reason


class PenstockApiError(ClientError):
    """The API answered that it will not, or cannot, do what was asked."""

    def __init__(
        self,
        status_code: int,
        error: str,
        error_code: str | None = None,
        *,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(f"{error} (HTTP {status_code})")
        self.status_code = status_code
        self.error = error
        self.error_code = error_code
        self.retry_after_seconds = retry_after_seconds


class BadRequestError(PenstockApiError):
    """400, 422: the submission is wrong; `error` names the field."""


class NotAuthorizedError(PenstockApiError):
    """401, 403: the API key is missing, unknown, expired or revoked."""


class NotFoundError(PenstockApiError):
    """404: no such model, environment, deployment or request of this tenant."""


class ConflictError(PenstockApiError):
    """409: the idempotency key has another payload, or there is no result (yet)."""


class TooLargeError(PenstockApiError):
    """413: the input is larger than the stack accepts."""


class RateLimitedError(PenstockApiError):
    """429: too many calls, even after retries."""


class ServiceError(PenstockApiError):
    """5xx: the platform failed, even after retries."""


_BY_STATUS: dict[int, type[PenstockApiError]] = {
    400: BadRequestError,
    401: NotAuthorizedError,
    403: NotAuthorizedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: BadRequestError,
    429: RateLimitedError,
}


def error_class(status_code: int) -> type[PenstockApiError]:
    """Return the class of an answer that is not a success."""
    if status_code >= 500:  # noqa: PLR2004 - 5xx, as HTTP has it
        return ServiceError
    return _BY_STATUS.get(status_code, PenstockApiError)


class RequestFailedError(ClientError):
    """The request ended without a result; `faults` say why."""

    def __init__(self, status: RequestStatus) -> None:
        why = "; ".join(f"{fault.code}: {fault.message}" for fault in status.errors)
        super().__init__(
            f"request {status.request_id} ended {status.status}" + (f": {why}" if why else "")
        )
        self.status = status
        self.faults = status.errors


class WaitTimeoutError(ClientError):
    """Requests had not ended when the time to wait was up; they go on."""

    def __init__(self, waiting: Sequence[str], timeout_seconds: float) -> None:
        super().__init__(
            f"after {timeout_seconds:g} s these requests had not ended: {', '.join(waiting)}"
        )
        self.waiting = waiting
        self.timeout_seconds = timeout_seconds


class WebhookVerificationError(ClientError):
    """The webhook is not to be trusted; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"webhook refused: {reason}")
        self.reason = reason
