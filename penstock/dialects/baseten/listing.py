"""Reading which of a deployment's requests a caller wants to see."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from penstock.contracts.contract import UtcDatetime
from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.http.baseten import WEBHOOK_FAILED
from penstock.contracts.http.native import LONGEST_WAIT_SECONDS, MOST_LISTED
from penstock.contracts.request import AsyncRequest, RequestState
from penstock.dialects.baseten.answers import shown_status
from penstock.dialects.http_call import HttpCall

STATUSES = (*RequestState, WEBHOOK_FAILED)
DEFAULT_LIMIT = 20
_PARAMETERS = ("limit", "next", "status", "created_after", "created_before")

_moment = TypeAdapter[datetime](UtcDatetime)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """How many requests are wanted, which, and after which place in the list."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None
    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def wants(self, request: AsyncRequest) -> bool:
        """Whether a request passes the filters."""
        return (
            (self.status is None or shown_status(request) == self.status)
            and not self.ends_before(request)
            and (self.created_before is None or request.created_at < self.created_before)
        )

    def ends_before(self, request: AsyncRequest) -> bool:
        """Whether neither this request nor any older one passes."""
        return self.created_after is not None and request.created_at < self.created_after


def read_listing(call: HttpCall) -> Listing:
    """Return what the query asks for; raise `InvalidSubmissionError` if a parameter is wrong."""
    for name in call.query.keys() - set(_PARAMETERS):
        known = ", ".join(_PARAMETERS)
        raise InvalidSubmissionError(name, f"there is no such parameter; known are {known}")
    status = call.query.get("status")
    if status is not None and status not in STATUSES:
        raise InvalidSubmissionError("status", f"must be one of {', '.join(STATUSES)}")
    return Listing(
        limit=_whole_number(call, "limit", DEFAULT_LIMIT, 1, MOST_LISTED),
        after=call.query.get("next"),
        status=status,
        created_after=_time(call, "created_after"),
        created_before=_time(call, "created_before"),
    )


def read_wait_seconds(call: HttpCall) -> int:
    """Return how long a question for a status may wait for the end."""
    return _whole_number(call, "wait", 0, 0, LONGEST_WAIT_SECONDS)


def _whole_number(call: HttpCall, name: str, default: int, least: int, most: int) -> int:
    text = call.query.get(name, str(default))
    # The length first: of a thousand digits Python makes no number.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))) or not (
        least <= int(text) <= most
    ):
        raise InvalidSubmissionError(name, f"must be a whole number from {least} to {most}")
    return int(text)


def _time(call: HttpCall, name: str) -> datetime | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return _moment.validate_strings(text)
    except ValidationError as error:
        reason = "must be a time with a zone, like 2026-01-02T03:04:05Z"
        raise InvalidSubmissionError(name, reason) from error
