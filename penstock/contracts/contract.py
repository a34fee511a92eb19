"""What all contracts share: they are frozen, and time in them is UTC."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict

# A process uses few of the shapes that it imports: each is built at its first use, which makes a
# function's cold start shorter.


class Contract(BaseModel):
    """A shape that our own processes exchange.

    Unknown keys are ignored, because two processes are never deployed in the same instant.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ClientInput(BaseModel):
    """A shape that a client sends; a key nobody knows is refused, so a typo is heard."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with a zone, held in UTC."""


def kept_if_unknown(kind: type[StrEnum]) -> BeforeValidator:
    """Return what lets a value pass that only a newer version knows.

    Rows and messages outlive a rollback. Such a value equals no member, is written back as it
    came, and says what it is.
    """

    def read(value: object) -> object:
        if not isinstance(value, str) or value in kind._value2member_map_:
            return value
        unknown = str.__new__(kind, value)
        unknown._name_ = unknown._value_ = value
        return unknown

    return BeforeValidator(read)
