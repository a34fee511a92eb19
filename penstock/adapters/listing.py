"""How requests are found by their caller's id, and listed page by page: the same in both families.

A page ends with the position of its last row. It names the list it was read from, so that it is
good for no other.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter

from penstock.contracts.errors import InvalidSubmissionError
from penstock.contracts.request import RequestId, Tenant

_PARTS = TypeAdapter(
    tuple[
        str,
        Annotated[int, Field(ge=0, lt=10**18)],
        Annotated[str, Field(pattern="^[0-9a-f]{32}$")],
    ]
)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds_of(moment: datetime) -> int:
    """Return a moment as rows are ordered by it: whole microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def caller_key(tenant: Tenant, caller_id: str) -> str:
    """Return the key under which a caller's own id is found; JSON keeps the two parts apart."""
    return json.dumps([tenant, caller_id])


def list_key(tenant: Tenant, deployment_id: str) -> str:
    """Return the key of a tenant's requests at a deployment."""
    return json.dumps([tenant, deployment_id])


@dataclass(frozen=True)
class Position:
    """After which row a list goes on."""

    list_key: str
    created_at_microseconds: int
    request_id: RequestId

    def encoded(self) -> str:
        """Return it as callers are to give it back."""
        parts = [self.list_key, self.created_at_microseconds, self.request_id]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    @classmethod
    def decoded(cls, text: str, expected_list: str) -> "Position":
        """Read what a caller gave back.

        Raises:
            InvalidSubmissionError: it is not what an earlier page of this list ended with.
        """
        try:
            parts = _PARTS.validate_json(base64.b64decode(text, altchars=b"-_", validate=True))
        except ValueError:
            parts = None
        if parts is None or parts[0] != expected_list:
            raise InvalidSubmissionError("next", "it is not that of an earlier page")
        return cls(parts[0], parts[1], RequestId(parts[2]))
