"""Every call of the API as a value: what is sent and how the answer is read. No I/O."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote

import httpx

from penstock.client.answers import ResultBody, body_of, result_body
from penstock.client.endpoint import Endpoint
from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.baseten import (
    Accepted,
    CancelAnswer,
    InferenceRetryConfig,
    QueueStatus,
    RequestStatus,
)

Answer = TypeVar("Answer")

IDEMPOTENCY_HEADER = "Idempotency-Key"


class SubmitOptions(TypedDict, total=False):
    """What may be said of a submission beside model and input."""

    environment: str | None
    """Environment of the model; `production` unless this or `deployment` is given."""

    deployment: str | None
    """One deployment, whatever environment it serves."""

    priority: int
    """0 (default) runs before 1 runs before 2."""

    webhook: str | None
    """HTTPS URL that receives the result."""

    max_time_in_queue_seconds: int
    """A request that did not start by then expires; default 600."""

    predict_timeout_seconds: float | None
    """Longest run of one attempt; the deployment's own limit still applies."""

    retry: InferenceRetryConfig | None
    """How often and when a failed attempt is repeated; the defaults are its own."""

    input_location: str | None
    """Where the input lies in S3 (`Client.upload`); the input given beside it must be `None`."""

    input_content_type: str | None
    """What lies there; the object's own type by default."""

    idempotency_key: str | None
    """The same key and input never make a second request; a fresh one by default."""


@dataclass(frozen=True, kw_only=True)
class Call(Generic[Answer]):
    """One call and the reader of its answer."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    read: Callable[[httpx.Response], Answer]
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    """Whether a second time changes nothing more."""

    def request(self, endpoint: Endpoint) -> httpx.Request:
        """Return the HTTP request, with the key.

        Raises:
            InvalidSubmissionError: the body is not JSON (NaN is not), or a header not ASCII.
        """
        try:
            return self._request(endpoint)
        except ValueError as error:
            raise InvalidSubmissionError("", f"this cannot be sent: {error}") from error

    def _request(self, endpoint: Endpoint) -> httpx.Request:
        return httpx.Request(
            self.method,
            endpoint.base_url + self.path,
            params=self.query,
            json=self.body,
            headers={
                "Authorization": f"Bearer {endpoint.api_key}",
                "User-Agent": f"penstock-python/{version('penstock')}",
                **self.headers,
            },
        )


def submit(model: str, model_input: object, options: SubmitOptions) -> Call[Accepted]:
    """Return the call that submits `model_input` (any JSON)."""
    body: dict[str, Any] = {"model_input": model_input}
    if options.get("input_location") is not None and model_input is None:
        body = {}
    for option, name in (
        ("input_location", "model_input_location"),
        ("input_content_type", "model_input_content_type"),
        ("priority", "priority"),
        ("webhook", "webhook_endpoint"),
        ("max_time_in_queue_seconds", "max_time_in_queue_seconds"),
        ("predict_timeout_seconds", "predict_timeout_seconds"),
    ):
        if options.get(option) is not None:
            body[name] = options.get(option)
    if retry := options.get("retry"):
        body["inference_retry_config"] = retry.model_dump()
    return Call(
        method="POST",
        path=target(model, options.get("environment"), options.get("deployment"))
        + "/async_predict",
        read=body_of(Accepted),
        body=body,
        headers={IDEMPOTENCY_HEADER: options.get("idempotency_key") or uuid.uuid4().hex},
    )


def status(request_id: str, *, wait_seconds: int = 0) -> Call[RequestStatus]:
    """Return the call that reads where a request is, at its end or after so long."""
    return Call(
        method="GET",
        path=_place_of(request_id),
        read=body_of(RequestStatus),
        query={"wait": str(wait_seconds)} if wait_seconds else {},
    )


def result(request_id: str) -> Call[ResultBody]:
    """Return the call that fetches a result."""
    return Call(method="GET", path=f"{_place_of(request_id)}/result", read=result_body)


def cancel(request_id: str, *, force: bool) -> Call[CancelAnswer]:
    """Return the call that cancels a request; with `force` also a running one."""
    return Call(
        method="DELETE",
        path=_place_of(request_id),
        read=body_of(CancelAnswer),
        query={"force": "true"} if force else {},
    )


def queue(model: str, environment: str | None, deployment: str | None) -> Call[QueueStatus]:
    """Return the call that reads how much waits and runs."""
    return Call(
        method="GET",
        path=target(model, environment, deployment) + "/async_queue_status",
        read=body_of(QueueStatus),
    )


def target(model: str, environment: str | None, deployment: str | None) -> str:
    """Return the path of a model's environment or deployment; production by default."""
    if environment and deployment:
        raise InvalidSubmissionError("deployment", "give an environment or a deployment, not both")
    if deployment:
        named = f"deployment/{quote(deployment, safe='')}"
    elif environment in {None, "production", "development"}:
        named = environment or "production"
    else:
        named = f"environments/{quote(str(environment), safe='')}"
    return f"/models/{quote(model, safe='')}/{named}"


def _place_of(request_id: str) -> str:
    return f"/async_request/{quote(request_id, safe='')}"
