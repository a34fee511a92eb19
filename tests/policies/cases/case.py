"""A small stack, and what one policy says about it."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.policies.servicer import Given


class Case(NamedTuple):
    """A stack that a policy passes, or holds something against."""

    policy: str
    title: str
    resources: tuple[Given, ...]
    says: str | None
    """Part of the finding's text; None passes."""

    config: Mapping[str, Any]


def passes(
    policy: str, title: str, *resources: Given, config: Mapping[str, Any] | None = None
) -> Case:
    return Case(policy, title, resources, None, config or {})


def fails(
    policy: str,
    title: str,
    *resources: Given,
    says: str,
    config: Mapping[str, Any] | None = None,
) -> Case:
    return Case(policy, title, resources, says, config or {})


def resource(kind: str, called: str, /, **props: Any) -> Given:
    """Return a resource of type `aws:<kind>`, whose last part may be left out."""
    if ":" not in kind:
        last = kind.rpartition("/")[2]
        kind = f"aws:{kind}:{last[0].upper()}{last[1:]}"
    return Given(kind, called, props)


def statement(effect: str = "Allow", **parts: Any) -> dict[str, Any]:
    return {"Effect": effect, **parts}


def policy_text(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def no_plain_http(**parts: Any) -> dict[str, Any]:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return statement("Deny", **{"Principal": "*", "Condition": condition, **parts})
