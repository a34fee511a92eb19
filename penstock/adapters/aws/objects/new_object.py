"""An object that is to be stored."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

from penstock.adapters.contents import size_of
from penstock.contracts.origin import Location
from penstock.contracts.outcome import StoredObject
from penstock.contracts.ports.objects import Content
from penstock.contracts.request import RequestId

PART_BYTES = 8 * 1024 * 1024
OWNER = "penstock-request-id"
HTTP_STATUS = "penstock-http-status"
ATTEMPT = "penstock-attempt"


class Condition(TypedDict, total=False):
    """Under which S3 stores an object."""

    IfNoneMatch: str
    IfMatch: str


@dataclass(frozen=True, kw_only=True)
class NewObject:
    """What is to be stored, and where."""

    place: Location
    body: Content
    content_type: str
    http_status: int | None = None
    owner: RequestId | None = None
    """Whose it is, at a place where another request's may lie."""

    attempt: int | None = None
    """Which attempt it tells of; one of an earlier attempt makes room for it."""

    @cached_property
    def size_bytes(self) -> int:
        """How long the body is."""
        return size_of(self.body)

    @property
    def metadata(self) -> dict[str, str]:
        """What an adopter will want to know."""
        known = {OWNER: self.owner, HTTP_STATUS: self.http_status, ATTEMPT: self.attempt}
        return {name: str(value) for name, value in known.items() if value is not None}

    @property
    def is_sent_in_parts(self) -> bool:
        """Whether it is a file too large for one call."""
        return not isinstance(self.body, bytes) and self.size_bytes > PART_BYTES

    @property
    def stored(self) -> StoredObject:
        """The object as it then lies there."""
        return StoredObject(
            bucket=self.place.bucket,
            key=self.place.key,
            content_type=self.content_type,
            size_bytes=self.size_bytes,
            http_status=self.http_status,
        )
