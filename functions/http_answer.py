"""An answer over HTTP, as API Gateway takes it from a function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_JSON = "application/json"


@dataclass
class HttpAnswer:
    """What the caller gets."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    is_base64: bool = False
    """Whether API Gateway has to decode the body."""

    @classmethod
    def json(cls, status: int, text: str, headers: Mapping[str, str] | None = None) -> "HttpAnswer":
        """Return an answer whose body is JSON already."""
        return cls(status, text, {"Content-Type": _JSON, **(headers or {})})

    def to_event(self) -> dict[str, Any]:
        """Return the answer of a proxy integration (payload format 1.0)."""
        return {
            "statusCode": int(self.status),
            "body": self.body,
            "isBase64Encoded": self.is_base64,
            "multiValueHeaders": {name: [value] for name, value in self.headers.items()},
        }
