"""Nothing but the public load balancer listens to the world."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from ..declaring import Settings, stack_policy
from ..reading import UNKNOWN, as_number, may_be, parts
from ..resources import Resource, Stack

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_RULES = (
    _INGRESS_RULE,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    _OLD_RULE,
)
_VPC = "aws:ec2/vpc:Vpc"
_DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_HTTPS = 443
_WIDEST_PREFIX = {4: 8, 6: 16}
"""Blocks with shorter prefixes are the world, or halves of it."""


@stack_policy(
    "sg-no-world-ingress",
)
def world_stays_outside(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """The world reaches only port 443, and only of public load balancers."""
    groups = list(stack.of(_GROUP))
    public = [group for group in groups if _is_of_public_balancer(stack, group)]
    for group in groups:
        for rule in parts(group.at("ingress")):
            yield from _world_faults(group, rule, is_public=group in public)
    for kind, is_ingress in ((_INGRESS_RULE, True), (_OLD_RULE, False)):
        for rule in stack.of(kind):
            if is_ingress or rule.at("type") == "ingress":
                is_public = any(rule.may_refer_to(g, "securityGroupId") for g in public)
                yield from _world_faults(rule, rule.props, is_public=is_public)


def _world_faults(
    resource: Resource,
    rule: Any,  # noqa: ANN401 - a rule, or not known
    *,
    is_public: bool,
) -> Iterator[tuple[Resource, str]]:
    if not isinstance(rule, dict):
        return
    blocks = [rule.get("cidrIpv4"), rule.get("cidrIpv6")]
    blocks += [*parts(rule.get("cidrBlocks")), *parts(rule.get("ipv6CidrBlocks"))]
    is_https = all(may_be(_port(rule.get(key)), [_HTTPS]) for key in ("fromPort", "toPort"))
    for block in filter(is_world, blocks):
        if not (is_public and is_https):
            yield resource, f"close {block}: only port 443 of a public load balancer may be open"


def _port(value: Any) -> Any:  # noqa: ANN401 - a number, or not known
    return value if value is UNKNOWN else as_number(value)


def is_world(block: Any) -> bool:  # noqa: ANN401 - a text, or not known
    """Return whether an address block is known to be the world, or most of it."""
    if not isinstance(block, str):
        return False
    try:
        network = ip_network(block, strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST_PREFIX[network.version]


def _is_of_public_balancer(stack: Stack, group: Resource) -> bool:
    for balancer in stack.of(_BALANCER):
        if balancer.at("internal") in (True, "true"):
            continue
        if balancer.may_refer_to(group, "securityGroups"):
            return True
    return False


@stack_policy("default-sg-locked")
def default_groups_are_locked(stack: Stack, _: Settings) -> Iterator[tuple[Resource, str]]:
    """The default security group of every network lets nothing pass."""
    for vpc in stack.of(_VPC):
        if not stack.referring_to(vpc, [_DEFAULT_GROUP], "vpcId"):
            yield vpc, "add a DefaultSecurityGroup without rules"
    for group in stack.of(_DEFAULT_GROUP):
        rules = [*parts(group.at("ingress")), *parts(group.at("egress"))]
        if rules or stack.referring_to(group, _RULES, "securityGroupId"):
            yield group, "take its rules away, and use a group of your own"
