"""Tables can be restored, are hard to delete, encrypted, and clean up after themselves."""

from collections.abc import Iterator

from ..declaring import Settings, resource_policy, texts
from ..reading import is_on, matches
from ..resources import THROWAWAY_STACKS, Resource

TABLE = "aws:dynamodb/table:Table"


@resource_policy(
    "ddb-pitr",
    TABLE,
    schema={"exemptStacks": texts()},
)
def tables_can_be_restored(table: Resource, settings: Settings) -> Iterator[str]:
    """Tables can be restored to any second of the last weeks."""
    if not (is_on(table.at("pointInTimeRecovery", "enabled")) or _is_exempt(table, settings)):
        yield "set point_in_time_recovery={enabled: true}"


@resource_policy(
    "ddb-deletion-protection",
    TABLE,
    schema={"exemptStacks": texts(*THROWAWAY_STACKS)},
)
def tables_refuse_deletion(table: Resource, settings: Settings) -> Iterator[str]:
    """Outside throwaway stacks tables refuse to be deleted."""
    if not (is_on(table.at("deletionProtectionEnabled")) or _is_exempt(table, settings)):
        yield "set deletion_protection_enabled"


@resource_policy(
    "ddb-encrypted",
    TABLE,
    schema={"exemptStacks": texts()},
)
def tables_are_encrypted(table: Resource, settings: Settings) -> Iterator[str]:
    """Tables are encrypted under a key that the account can see and audit."""
    if not (is_on(table.at("serverSideEncryption", "enabled")) or _is_exempt(table, settings)):
        yield "set server_side_encryption={enabled: true}"


@resource_policy(
    "ddb-ttl",
    TABLE,
    schema={"tables": texts("requests*", "*-requests*")},
)
def requests_are_forgotten(table: Resource, settings: Settings) -> Iterator[str]:
    """The table of requests forgets requests that ended long ago."""
    if matches(table.name, settings["tables"]) and not is_on(table.at("ttl", "enabled")):
        yield "set ttl={attribute_name: …, enabled: true}"


def _is_exempt(table: Resource, settings: Settings) -> bool:
    return table.is_in(settings["exemptStacks"])
