"""The types and keys that policies go by are those of the providers' SDKs."""

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policies.guardrails.taggable import TAGGABLE
from tests.policies.cases.case import Case
from tests.policies.sdk import has_tags, unknown_keys
from tests.policies.servicer import UNKNOWN
from tests.policies.test_policies import RIGHT, title

CUSTOM = ("kubernetes:keda.sh", "kubernetes:karpenter")
OUTPUTS = {"arn", "id", "url", "resources"}
"""What stack policies see beside inputs."""


def _tokens(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(("aws:", "kubernetes:")):
        yield value
    elif isinstance(value, tuple | frozenset | dict):
        for part in value:
            yield from _tokens(part)
        for part in value.values() if isinstance(value, dict) else ():
            yield from _tokens(part)


def tokens(provider: str) -> list[str]:
    """Return every type of a provider that a policy names, beside those that carry tags."""
    modules = [m for name, m in sys.modules.items() if name.startswith("policies.guardrails.")]
    found = {token for module in modules for v in vars(module).values() for token in _tokens(v)}
    return sorted(token for token in found - TAGGABLE if token.startswith(f"{provider}:"))


@pytest.mark.parametrize("token", tokens("aws"))
def test_every_aws_type_is_one(token: str) -> None:
    assert unknown_keys(token, {"nonsense": 1}) == ["it.nonsense: unknown key"]


@pytest.mark.parametrize("token", [t for t in tokens("kubernetes") if not t.startswith(CUSTOM)])
def test_every_kubernetes_type_is_one(token: str) -> None:
    _, place, kind = token.split(":")
    group, version = place.split("/")
    module = importlib.import_module(f"pulumi_kubernetes.{group.split('.')[0]}.{version}")

    assert inspect.isclass(getattr(module, kind))


@pytest.mark.parametrize("case", RIGHT, ids=title)
def test_cases_have_the_keys_of_the_sdk(case: Case) -> None:
    for given in case.resources:
        if given.type.startswith("aws:"):
            assert unknown_keys(given.type, _inputs(given.props)) == []


def _inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in props.items() if k not in OUTPUTS and v != UNKNOWN}


@pytest.mark.parametrize("token", sorted(TAGGABLE))
def test_what_must_be_tagged_can_be(token: str) -> None:
    assert has_tags(token)
