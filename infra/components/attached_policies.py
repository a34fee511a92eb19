"""Permissions that grow with a stack: spread over as many managed policies as they need."""

import json
from collections.abc import Iterator, Sequence

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, allow
from penstock.contracts.errors import SettingsError

POLICY_CHARACTERS = 6_144
"""The longest managed policy, blanks not counted; the inline ones of a role end at 10,240."""

_POLICIES = 10
"""How many managed policies a role takes without a quota increase."""


def attach(
    name: str, role: aws.iam.Role, statements: Sequence[Statement], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Let `role` do what `statements` say; each names one action and plain resources.

    Raises:
        SettingsError: they need more policies than a role takes.
    """
    documents = list(_documents(statements))
    if len(documents) > _POLICIES:
        raise SettingsError(
            f"{name}: all buckets and topics that deployments name need {len(documents)} policies,"
            f" and a role takes {_POLICIES}; let deployments share buckets, or split the stack"
        )
    return [
        _attached(f"{name}-{number}", role, document, opts)
        for number, document in enumerate(documents)
    ]


def _documents(statements: Sequence[Statement]) -> Iterator[str]:
    """Yield policies; a statement that is too long for one goes on in the next."""
    open_ones: dict[str, list[str]] = {}
    for statement in statements:
        for resource in statement["Resource"]:
            larger = {**open_ones}
            action = statement["Action"]
            larger[action] = [*larger.get(action, ()), resource]
            if len(_document(larger)) > POLICY_CHARACTERS:
                yield _document(open_ones)
                larger = {action: [resource]}
            open_ones = larger
    if open_ones:
        yield _document(open_ones)


def _document(granted: dict[str, list[str]]) -> str:
    statements = [allow(action, resources) for action, resources in granted.items()]
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def _attached(
    name: str, role: aws.iam.Role, document: str, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    policy = aws.iam.Policy(name, policy=document, opts=opts)
    return aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=policy.arn, opts=opts)
