"""What a node may do, before any pod's own role."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.permissions import trust

_POLICIES = {
    "join": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    "pull": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
}


class NodeRole(pulumi.ComponentResource):
    """Lets a machine join its cluster and pull images. Pods cannot take it: see the hop limit."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    grants: list[pulumi.Resource]
    """Nodes wait for these: a node that may not join yet never joins."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("penstock:compute:NodeRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            assume_role_policy=trust("ec2.amazonaws.com", "sts:AssumeRole"),
            opts=child,
        )
        self.arn, self.name = role.arn, role.name
        self.grants = [
            aws.iam.RolePolicyAttachment(
                f"{name}-may-{purpose}", role=role.name, policy_arn=arn, opts=child
            )
            for purpose, arn in _POLICIES.items()
        ]
        self.register_outputs({"arn": self.arn})


@dataclass(frozen=True, kw_only=True)
class NodePlace:
    """Where nodes run and what they join."""

    cluster_name: pulumi.Input[str]
    role_arn: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    ready: list[pulumi.Resource]
    """What must be there first: their permissions, the network and the pods' network."""

    tags: Mapping[str, str]
    """Put on machines and disks: they are most of the bill, and Pulumi starts none of them."""
