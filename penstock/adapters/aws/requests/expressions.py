"""The expressions of a DynamoDB update, made from what it changes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.adapters.aws.requests.row import attribute_of, is_absent


@dataclass(frozen=True, kw_only=True)
class Update:
    """One conditional update of one item.

    In `condition` an attribute is `#name` and a value `:name`; values that it does not mention
    are left out, because DynamoDB refuses them.
    """

    operation: str
    """What it is called in errors."""

    condition: str
    values: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, object] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `UpdateItem`."""
        expression = self._expression()
        mentioned = f"{expression} {self.condition}"
        known = {
            **{f":{name}": value for name, value in self.values.items()},
            **{f":new_{name}": value for name, value in self.changes.items()},
            **{f":add_{name}": value for name, value in self.add.items()},
        }
        return {
            "UpdateExpression": expression,
            "ConditionExpression": self.condition,
            # Every name is aliased: `state` and many others are reserved words.
            "ExpressionAttributeNames": {alias: alias[1:] for alias in _found(r"#\w+", mentioned)},
            "ExpressionAttributeValues": {
                alias: attribute_of(known[alias]) for alias in _found(r":\w+", mentioned)
            },
        }

    def _expression(self) -> str:
        changes = self.changes.items()
        clauses = {
            "SET": [f"#{name} = :new_{name}" for name, new in changes if not is_absent(new)],
            "REMOVE": [f"#{name}" for name, new in changes if is_absent(new)],
            "ADD": [f"#{name} :add_{name}" for name in self.add],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)


def _found(pattern: str, text: str) -> Iterable[str]:
    return dict.fromkeys(re.findall(pattern, text))
