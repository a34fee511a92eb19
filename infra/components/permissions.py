"""IAM policies, built from the statements that components hand out."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

Statement = Mapping[str, Any]
"""One IAM statement; its values may be outputs."""


def allow(
    actions: str | Sequence[str],
    resources: pulumi.Input[str] | Sequence[pulumi.Input[str]],
    condition: Mapping[str, Any] | None = None,
) -> Statement:
    """Return a statement for the policy of an identity."""
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def policy(*statements: Statement) -> pulumi.Output[str]:
    """Return a policy document."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})


def trust(service: str, *actions: str) -> str:
    """Return the document that lets an AWS service take a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust_of_account(
    service: str, account_id: pulumi.Input[str], *actions: str
) -> pulumi.Output[str]:
    """Return the document that lets an AWS service take a role, on behalf of one account only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": actions,
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    return policy(statement)


def refuse_plain_http(
    actions: str | Sequence[str], resources: pulumi.Input[str] | Sequence[pulumi.Input[str]]
) -> Statement:
    """Return a statement for the policy of a resource: callers without TLS are refused."""
    return {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def refuse_other_accounts(
    actions: str | Sequence[str],
    resources: pulumi.Input[str] | Sequence[pulumi.Input[str]],
    account_id: pulumi.Input[str],
) -> Statement:
    """Return a statement for the policy of a resource: strangers are refused, whoever lets them in.

    AWS's own services belong to no account; another statement lets each in, for what it serves.
    """
    return {
        "Sid": "RefuseOtherAccounts",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resources,
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalAccount": account_id},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }
