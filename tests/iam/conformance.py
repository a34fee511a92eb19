"""Holds what roles may do against what is done in their names."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.iam.account import Account
from tests.iam.evaluation import Access, Statement, is_allowed


@dataclass(frozen=True)
class Findings:
    """What is wrong with a role."""

    refused: list[Access] = field(default_factory=list)
    """What is done and not allowed."""

    idle: list[Statement] = field(default_factory=list)
    """What is allowed and may be taken away: nothing that is done needs it."""


def check(
    account: Account, statements: Sequence[Statement], accesses: Collection[Access]
) -> Findings:
    """Return what is wrong with a role in whose name this is done."""
    allowed = [statement for statement in statements if statement.effect == "Allow"]
    grants = [grant for statement in allowed for grant in statement.grants()]
    needed, refused = set[int](), list[Access]()
    for access in accesses:
        if not is_allowed(access, statements, account.policy_of(access.resource)):
            refused.append(access)
        allowing = [number for number, grant in enumerate(grants) if grant.applies_to(access)]
        if len(allowing) == 1:
            needed.update(allowing)
    return Findings(refused, [g for number, g in enumerate(grants) if number not in needed])


def described(findings: Iterable[Access | Statement]) -> list[str]:
    """Return findings as lines that can be read."""
    return sorted(
        f"{found.action} on {found.resource}"
        if isinstance(found, Access)
        else f"{', '.join(found.actions)} on {', '.join(found.resources)}"
        + "".join(f" if {line.key} {line.operator} {line.wanted}" for line in found.condition)
        for found in findings
    )
