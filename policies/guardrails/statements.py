"""IAM policy documents."""

from collections.abc import Iterator
from typing import Any

from .reading import UNKNOWN, at, document, parts

Statement = dict[str, Any]


def statements(value: Any) -> list[Statement] | None:  # noqa: ANN401 - text, mapping or nothing
    """Return the statements of a policy document; None if they are not known yet."""
    found = at(document(value), "Statement")
    if found is UNKNOWN:
        return None
    return [s for s in parts(found if isinstance(found, list) else [found]) if isinstance(s, dict)]


def allowing(value: Any) -> Iterator[Statement]:  # noqa: ANN401 - see `statements`
    """Yield the known statements that allow something."""
    for statement in statements(value) or []:
        if statement.get("Effect") == "Allow":
            yield statement


def texts_of(value: Any) -> list[str]:  # noqa: ANN401 - one text, several, or nothing
    """Return what a statement lists, where one text may stand for a list of one."""
    return [text for text in parts(value if isinstance(value, list) else [value]) if text]


def principals(statement: Statement, kind: str) -> list[str]:
    """Return the principals of a kind such as `Service`; `*` is of every kind."""
    principal = statement.get("Principal")
    return texts_of(principal) if isinstance(principal, str) else texts_of(at(principal, kind))


def is_for_everyone(statement: Statement) -> bool:
    """Return whether a statement names `*` as principal, in either spelling."""
    return "*" in principals(statement, "AWS")


def refuses_plain_http(statement: Statement) -> bool:
    """Return whether a statement denies everyone who comes without TLS, or may."""
    if statement.get("Effect") != "Deny" or not is_for_everyone(statement):
        return False
    conditions = at(statement, "Condition", "Bool")
    folded = (
        {key.lower(): value for key, value in conditions.items()}
        if isinstance(conditions, dict)
        else conditions
    )
    return at(folded, "aws:securetransport") in ("false", False, UNKNOWN)
