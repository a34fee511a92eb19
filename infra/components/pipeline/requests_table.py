"""The requests table: by which indexes its rows are found."""

from infra.components.custody.custody import Custody
from infra.components.pipeline.table import Attribute, Index, TableArgs

_CREATED_AT = Attribute("created_at", "N")

DUE = Index(
    name="sweep",
    hash_key=Attribute("sweep_shard", "S"),
    range_key=Attribute("sweep_at", "N"),
    carried=["tenant"],
)
"""Rows that the sweeper must look at, and whose they are: tenants take turns."""

OPEN = Index(name="open", hash_key=Attribute("open_tenant", "S"), range_key=_CREATED_AT)
"""Rows that have not ended, by tenant."""

BY_CALLER = Index(name="caller", hash_key=Attribute("caller_key", "S"), range_key=_CREATED_AT)
"""Rows that their caller knows by an id of its own."""

LISTED = Index(name="listed", hash_key=Attribute("list_key", "S"), range_key=_CREATED_AT)
"""All rows of a tenant at a deployment, in the order of their creation."""


def requests_table_args(custody: Custody, *, is_protected: bool) -> TableArgs:
    """Return what the table of requests needs to know."""
    return TableArgs(
        custody=custody,
        hash_key="request_id",
        indexes=[DUE, OPEN, BY_CALLER, LISTED],
        purge_attribute="purge_at",
        is_protected=is_protected,
    )
