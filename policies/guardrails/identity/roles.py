"""Roles may do what they need, and are taken by whom they are for."""

from collections.abc import Iterator
from typing import Any

from ..declaring import Settings, resource_policy, texts
from ..reading import UNKNOWN, at, matches, parts
from ..resources import Resource
from ..statements import Statement, allowing, is_for_everyone, principals, texts_of

_ROLE = "aws:iam/role:Role"
_POLICIES = tuple(
    f"aws:iam/{kind[0].lower()}{kind[1:]}:{kind}"
    for kind in ("Policy", "RolePolicy", "UserPolicy", "GroupPolicy")
)
_ATTACHMENTS = tuple(
    f"aws:iam/{kind[0].lower()}{kind[1:]}:{kind}"
    for kind in (
        "PolicyAttachment",
        "RolePolicyAttachment",
        "UserPolicyAttachment",
        "GroupPolicyAttachment",
    )
)
_ALMIGHTY = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")

_WITHOUT_RESOURCES = (
    "autoscaling:Describe*",
    "cloudwatch:PutMetricData",
    "ec2:Describe*",
    "ecr:GetAuthorizationToken",
    "eks:DescribeCluster",
    "elasticloadbalancing:Describe*",
    "pricing:GetProducts",
    "xray:GetSampling*",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
"""Actions that have no resource to name."""

_BOUND_BY_PASS_ROLE = (
    "apigateway.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "lambda.amazonaws.com",
)
"""Services that use a role only where somebody with `iam:PassRole` put it, and that do not say for
what: their `aws:SourceArn` is empty when they take a role."""


@resource_policy(
    "iam-no-star",
    _ROLE,
    *_POLICIES,
    schema={"actionsOnEverything": texts(*_WITHOUT_RESOURCES)},
)
def permissions_are_named(resource: Resource, settings: Settings) -> Iterator[str]:
    """Policies name the actions they allow, and on what."""
    inline = [at(part, "policy") for part in parts(resource.at("inlinePolicies"))]
    own = [] if resource.type == _ROLE else [resource.at("policy")]
    for policy in own + inline:
        for statement in allowing(policy):
            yield from _stars(statement, settings["actionsOnEverything"])


def _stars(statement: Statement, allowed: list[str]) -> Iterator[str]:
    actions = texts_of(statement.get("Action"))
    if statement.get("NotAction") or statement.get("NotResource"):
        yield "allow by Action and Resource: NotAction and NotResource allow what is yet to come"
    for action in actions:
        if action == "*" or action.endswith(":*"):
            yield f"name the actions behind {action!r}"
    if any(_is_everything(r, statement) for r in texts_of(statement.get("Resource"))):
        for action in actions:
            if not matches(action, allowed):
                yield f"name the resources of {action}, or allow it on all by config"


def _is_everything(resource: str, statement: Statement) -> bool:
    if resource == "*":
        return True
    # arn:aws:sqs:*:*:* is everything as well, unless a condition (a tag, say) narrows it.
    return set(resource.split(":")[3:]) == {"*"} and not statement.get("Condition")


@resource_policy(
    "iam-trust",
    _ROLE,
    schema={"servicesWithoutSource": texts(*_BOUND_BY_PASS_ROLE)},
)
def roles_trust_few(role: Resource, settings: Settings) -> Iterator[str]:
    """Roles are taken by those they are for, and by services only on behalf of this account."""
    for statement in allowing(role.at("assumeRolePolicy")):
        if is_for_everyone(statement):
            yield "name who may take the role instead of '*'"
        for service in principals(statement, "Service"):
            if service in settings["servicesWithoutSource"] or service == "*":
                continue
            if not _says_source(statement):
                yield (
                    f"add a Condition on aws:SourceAccount or aws:SourceArn: {service} would take"
                    " the role for other accounts, too"
                )


def _says_source(statement: Statement) -> bool:
    conditions = statement.get("Condition")
    if conditions is UNKNOWN:
        return True
    keys = {
        key.lower()
        for operator, tested in (conditions or {}).items()
        for key in (tested if isinstance(tested, dict) else ())
    }
    return bool(keys & {"aws:sourceaccount", "aws:sourcearn"})


@resource_policy("iam-no-managed-admin", _ROLE, *_ATTACHMENTS)
def nobody_is_almighty(resource: Resource, _: Settings) -> Iterator[str]:
    """Nobody is given all of AWS."""
    attached: list[Any] = [resource.at("policyArn"), *parts(resource.at("managedPolicyArns"))]
    for arn in attached:
        if isinstance(arn, str) and (name := arn.rpartition("/")[2]) in _ALMIGHTY:
            yield f"attach a policy of what is needed instead of {name}"
