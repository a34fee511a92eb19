"""What the API's document says of one operation, whatever its dialect.

Each dialect describes what it serves in its module `operations.py`, as `DESCRIPTION`; `openapi.py`
lists them in `DIALECTS` and puts them together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

JSON = "application/json"
ANY_TYPE = "*/*"
"""A body of whatever content type."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What travels in a call or an answer."""

    model: type[BaseModel] | None = None
    """`None`: what `schema` says of it."""

    schema: Mapping[str, Any] = field(default_factory=dict)
    """Empty: any JSON, or any bytes if the content type is not JSON."""

    example: Any = None
    """Required for JSON."""

    content_types: tuple[str, ...] = (JSON,)
    is_required: bool = True
    """Of a call's body: whether a call without one is refused."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer with one status."""

    description: str
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header names and what they say."""


@dataclass(frozen=True, kw_only=True)
class Failure(Answer):
    """An answer that is an error, the same for all operations of a dialect."""

    name: str
    """In the document, unique among its dialect's."""

    is_everywhere: bool = False
    """Whether every operation of the dialect may answer it."""


@dataclass(frozen=True, kw_only=True)
class OperationDescription:
    """One operation, on whatever path it is served."""

    summary: str
    description: str
    successes: Mapping[int, Answer]
    """By HTTP status."""

    errors: tuple[int, ...] = ()
    """Statuses among the dialect's failures, beside those that are everywhere."""

    passed_on: Answer | None = None
    """What a container answers with any status; a failure may then be its own, too."""

    body: Body | None = None
    parameters: tuple[Mapping[str, Any], ...] = ()
    """Parameter objects of OpenAPI for query and headers; those in the path come by themselves."""


@dataclass(frozen=True, kw_only=True)
class DialectDescription:
    """All that the document says of one dialect."""

    operations: Mapping[str, OperationDescription]
    """By their names in the table of routes."""

    failures: Mapping[int, Failure]
    """By HTTP status."""

    path_parameters: Mapping[str, str]
    """The parameters in the dialect's paths and what they are."""
