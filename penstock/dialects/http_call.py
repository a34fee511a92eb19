"""One HTTP call as every dialect reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock.contracts.request import Tenant


@dataclass(frozen=True, kw_only=True)
class HttpCall:
    """A call that matched a route."""

    tenant: Tenant
    """Empty until a signature says whose call it is."""

    method: str
    route: str
    """The template of the path, as the table of routes has it."""

    paths: tuple[str, ...]
    """What the caller may have written as the path: with and without the stage in front."""

    hosts: tuple[str, ...]
    """The names the caller may have used for us, most trustworthy first."""

    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    """The last value of each."""

    repeated_query: Mapping[str, tuple[str, ...]]
    """All values of each."""

    headers: Mapping[str, str]
    """By lower-case name."""

    body: bytes
