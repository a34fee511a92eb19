"""Every policy passes what is right, finds what is wrong, and is not blinded by a preview."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from pulumi_policy import EnforcementLevel

from policies.guardrails.pack import POLICIES
from tests.policies.cases import (
    api,
    cluster,
    functions,
    identity,
    messaging,
    network,
    storage,
    tagging,
    workloads,
)
from tests.policies.cases.case import Case
from tests.policies.servicer import UNKNOWN, Finding, Given, Pack

THEMES = (storage, messaging, functions, identity, network, cluster, api, workloads, tagging)
CASES = [case for theme in THEMES for case in theme.CASES]
RIGHT = [case for case in CASES if case.says is None]
WRONG = [case for case in CASES if case.says is not None]
_NAMES = ("id", "arn", "name", "bucket", "url", "stageName")
_BY_NAME = {policy.name: policy for policy in POLICIES}


def title(case: Case) -> str:
    return f"{case.policy}: {case.title}"


def pack_of(case: Case) -> Pack:
    config = {case.policy: case.config} if case.config else {}
    return Pack([_BY_NAME[case.policy]], config)


@pytest.mark.parametrize("case", RIGHT, ids=title)
def test_what_is_right_passes(case: Case) -> None:
    assert pack_of(case).findings(case.resources) == []


@pytest.mark.parametrize("case", WRONG, ids=title)
def test_what_is_wrong_is_found_and_told_what_to_do(case: Case) -> None:
    findings = pack_of(case).findings(case.resources)

    level = _BY_NAME[case.policy].enforcement_level
    # What a remediation leaves behind is mandatory.
    expected = "advisory" if level is EnforcementLevel.ADVISORY else "mandatory"
    assert {finding.level for finding in findings} == {expected}
    assert any(case.says in finding.text for finding in findings if case.says), findings
    assert all(f.text.startswith(f"{f.resource}: ") for f in findings)


@pytest.mark.parametrize("case", WRONG, ids=title)
def test_what_is_wrong_is_found_beside_what_nobody_knows_yet(case: Case) -> None:
    blurred = [
        resource._replace(props={**resource.props, "somethingElse": UNKNOWN})
        for resource in case.resources
    ]
    elsewhere = Given("pulumi:pulumi:StackReference", "elsewhere", {})
    strangers = [
        Given(
            type=resource.type,
            name=f"stranger-{index}",
            # Kubernetes objects are named by the program, so that is known.
            props={**dict.fromkeys(resource.props, UNKNOWN), "metadata": {"name": "stranger"}},
            origins=dict.fromkeys(resource.props, frozenset({elsewhere.urn})),
        )
        for index, resource in enumerate(case.resources)
    ]

    found = _told(pack_of(case).findings(case.resources))
    assert found == {
        text
        for text in _told(pack_of(case).findings([*blurred, elsewhere, *strangers]))
        if not text.startswith("stranger-")
    }


@pytest.mark.parametrize("case", RIGHT, ids=title)
def test_what_nobody_knows_yet_is_held_against_nobody(case: Case) -> None:
    pack = pack_of(case)

    for blurred in _blurred(_linked(case.resources)):
        assert pack.findings(blurred) == [], blurred


@pytest.mark.parametrize("case", WRONG, ids=title)
def test_no_unknown_value_keeps_a_policy_from_running(case: Case) -> None:
    pack = pack_of(case)

    for blurred in _blurred(case.resources):
        assert not _cannot_run(pack.findings(blurred)), blurred


def _told(findings: Sequence[Finding]) -> set[str]:
    return {finding.text for finding in findings}


def _cannot_run(findings: Sequence[Finding]) -> list[str]:
    return [finding.text for finding in findings if "can't run policy" in finding.text]


def _linked(resources: Sequence[Given]) -> list[Given]:
    """Return the resources with what the engine knows even before names: who is made of whom."""
    names = {
        other.urn: {other.props[key] for key in _NAMES if isinstance(other.props.get(key), str)}
        for other in resources
    }
    linked = []
    for resource in resources:
        origins = dict(resource.origins)
        for key, value in resource.props.items():
            text = json.dumps(value)
            made_of = {urn for urn, known in names.items() if any(name in text for name in known)}
            if made_of := made_of - {resource.urn}:
                origins[key] = frozenset(made_of) | origins.get(key, frozenset())
        linked.append(resource._replace(origins=origins))
    return linked


def _blurred(resources: Sequence[Given]) -> Iterator[list[Given]]:
    """Yield the resources with one value unknown: each in turn, at any depth."""
    for index, resource in enumerate(resources):
        for props in _with_a_gap(resource.props):
            changed = resource._replace(props=props)
            yield [*resources[:index], changed, *resources[index + 1 :]]


def _with_a_gap(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield {**value, key: UNKNOWN}
            yield from ({**value, key: gap} for gap in _with_a_gap(part))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield [*value[:index], UNKNOWN, *value[index + 1 :]]
            for gap in _with_a_gap(part):
                yield [*value[:index], gap, *value[index + 1 :]]
