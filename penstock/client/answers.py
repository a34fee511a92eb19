"""Reading answers: the bodies of successes, the errors of everything else. No I/O."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from penstock.client.errors import PenstockApiError, RequestFailedError, error_class
from penstock.contracts.http.baseten import WEBHOOK_FAILED, RequestStatus
from penstock.contracts.json_text import NotJsonError, parse_json
from penstock.contracts.request import RequestState

Body = TypeVar("Body", bound=BaseModel)

_SAID_BY_S3 = re.compile(rb"<Error>.*<Message>(.+?)</Message>", re.DOTALL)


@dataclass(frozen=True)
class ResultBody:
    """A result as the model gave it."""

    content: bytes
    content_type: str

    @property
    def is_json(self) -> bool:
        """Whether its type says that it is JSON."""
        return self.content_type.partition(";")[0].strip().lower() == "application/json"

    def parsed(self) -> Any:  # noqa: ANN401 - a model answers any JSON
        """Return the parsed JSON, or the bytes of a result that is not JSON, whatever its type."""
        try:
            return parse_json(self.content) if self.is_json else self.content
        except NotJsonError:
            return self.content


def has_ended(status: RequestStatus) -> bool:
    """Whether the request will not move any more."""
    return status.status not in {RequestState.QUEUED, RequestState.IN_PROGRESS}


def has_result(status: RequestStatus) -> bool:
    """Whether there is a result; one whose webhook failed has it all the same."""
    return status.status in {RequestState.SUCCEEDED, WEBHOOK_FAILED}


def require_possible_result(status: RequestStatus) -> None:
    """Pass if there is a result or may still be one.

    Raises:
        RequestFailedError: the request ended without one.
    """
    if has_ended(status) and not has_result(status):
        raise RequestFailedError(status)


def body_of(model: type[Body]) -> Callable[[httpx.Response], Body]:
    """Return a reader of answers whose body is a `model`."""

    def read(response: httpx.Response) -> Body:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise PenstockApiError(
                response.status_code,
                f"{response.request.url} answered something that is no {model.__name__};"
                " is this the address of a Penstock API?",
            ) from error

    return read


def result_body(response: httpx.Response) -> ResultBody:
    """Return the result that an answer carries."""
    return ResultBody(
        response.content, response.headers.get("content-type", "application/octet-stream")
    )


def redirect_target(response: httpx.Response) -> httpx.URL | None:
    """Return where the answer says the result lies, if it is not inside."""
    if response.status_code != HTTPStatus.SEE_OTHER:
        return None
    return response.request.url.join(response.headers["location"])


def checked(response: httpx.Response) -> httpx.Response:
    """Return the response if it is a success or a redirect.

    Raises:
        PenstockApiError: it is neither.
    """
    if response.is_success or response.status_code == HTTPStatus.SEE_OTHER:
        return response
    error, error_code = _error_text(response)
    raise error_class(response.status_code)(
        response.status_code, error, error_code, retry_after_seconds=_retry_after(response)
    )


def _error_text(response: httpx.Response) -> tuple[str, str | None]:
    try:
        body = parse_json(response.content)
    except NotJsonError:
        body = None
    if isinstance(body, dict):
        # API Gateway's own refusals say `message` or `Message`, Penstock says `error`.
        said = body.get("error") or body.get("message") or body.get("Message")
        if said:
            return str(said), body.get("error_code")
    if said := _SAID_BY_S3.search(response.content):
        return said[1].decode(errors="replace"), None
    return response.reason_phrase or "no reason given", None


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
