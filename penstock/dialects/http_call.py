"""One HTTP call as every dialect reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.contracts.request import Tenant


@dataclass(frozen=True, kw_only=True)
class HttpCall:
    """A call that was authorized and matched a route."""

    tenant: Tenant
    route: str
    """The template of the path, as the table of routes has it."""

    hosts: tuple[str, ...]
    """The names the caller may have used for us, most trustworthy first."""

    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""

    body: bytes
