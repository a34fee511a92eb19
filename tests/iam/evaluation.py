"""Whether IAM lets a role do something: the rules for roles and resources of one account.

Only what our policies use is known here; anything else is an error, never a guess.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, Self

_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


@dataclass(frozen=True)
class Access:
    """One use of a permission."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    """What IAM knows of the call, by condition key; a key with several values comes several times.
    """


@dataclass(frozen=True)
class Comparison:
    """One line of a condition: a key, and the values that it is compared with."""

    operator: str
    key: str
    wanted: tuple[str, ...]

    def holds(self, context: Sequence[tuple[str, str]]) -> bool:
        given = [value for key, value in context if key.lower() == self.key.lower()]
        quantifier, _, operator = self.operator.rpartition(":")
        if operator == "Null":
            return [str(not given).lower()] == [value.lower() for value in self.wanted]
        name = operator.removesuffix("IfExists")
        compare, is_negated = _COMPARISONS[name.replace("Not", "")], "Not" in name
        if not given:
            return is_negated or name != operator or quantifier == "ForAllValues"
        found = [any(compare(w, value) for w in self.wanted) != is_negated for value in given]
        return all(found) if quantifier == "ForAllValues" else any(found)

    @property
    def lists_alternatives(self) -> bool:
        """Whether one of its values is enough, so that each grants something by itself."""
        return len(self.wanted) > 1 and "Not" not in self.operator and ":" not in self.operator


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[Comparison, ...]
    principals: tuple[str, ...] | None = None
    """Whom the policy of a resource speaks of; `None` in that of a role."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        if unknown := raw.keys() - _ELEMENTS:
            raise ValueError(f"the evaluator does not know {sorted(unknown)}; teach it")
        principal = raw.get("Principal")
        return cls(
            effect=raw["Effect"],
            actions=_listed(raw["Action"]),
            resources=_listed(raw["Resource"]),
            condition=tuple(
                Comparison(operator, key, _listed(wanted))
                for operator, keys in raw.get("Condition", {}).items()
                for key, wanted in keys.items()
            ),
            principals=None if principal is None else tuple(_principals(principal)),
        )

    def applies_to(self, access: Access) -> bool:
        """Whether it speaks of this use by a role of the account."""
        return (
            (self.principals is None or any(_means_roles(p) for p in self.principals))
            and any(_like(pattern.lower(), access.action.lower()) for pattern in self.actions)
            and any(_like(pattern, access.resource) for pattern in self.resources)
            and all(line.holds(access.context) for line in self.condition)
        )

    def grants(self) -> Iterator["Statement"]:
        """Yield its smallest parts: they grant the same together, and nothing less alone."""
        alternatives = [
            [replace(line, wanted=(value,)) for value in line.wanted]
            if line.lists_alternatives
            else [line]
            for line in self.condition
        ]
        for action, resource in product(self.actions, self.resources):
            for lines in product(*alternatives):
                yield replace(self, actions=(action,), resources=(resource,), condition=lines)


def is_allowed(
    access: Access, of_role: Sequence[Statement], of_resource: Sequence[Statement] = ()
) -> bool:
    """Whether a role with these statements may use a resource with those."""
    about = [s for s in (*of_role, *of_resource) if s.applies_to(access)]
    if any(statement.effect == "Deny" for statement in about):
        return False
    allowing = [statement.principals is None for statement in about]
    # A key is used by nobody whom its own policy does not let in.
    return True in allowing and (not access.action.startswith("kms:") or False in allowing)


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
    else:
        for kind, named in principal.items():
            yield from (f"{kind}:{name}" for name in _listed(named))


def _means_roles(principal: str) -> bool:
    """Whether the roles of the account are meant: everybody, or whoever its policies let in."""
    return principal in {"*", "AWS:*"} or principal.endswith(":root")


_LITERALS = {"${*}": "*", "${?}": "?", "${$}": "$"}
_VARIABLES = re.compile(r"(\$\{[*?$]\})")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = []
    for part in _VARIABLES.split(text):
        if part in _LITERALS:
            parts.append(re.escape(_LITERALS[part]))
        elif "${" in part:
            raise ValueError(f"{text}: the evaluator knows no such policy variables; teach it")
        else:
            parts.append(re.escape(part).replace(r"\*", ".*").replace(r"\?", "."))
    return re.compile("".join(parts), re.DOTALL)


def _like(pattern: str, value: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Compare part by part: a `*` reaches no further than to the next colon, but for the last."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(_like, patterns, values))


def _same(wanted: str, value: str) -> bool:
    return wanted == value


def _same_boolean(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _same_boolean,
    "StringEquals": _same,
    "StringLike": _like,
}
