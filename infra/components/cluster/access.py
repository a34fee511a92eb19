"""Who may operate a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

_ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True, kw_only=True)
class ClusterAccessArgs:
    """What access needs to know."""

    cluster_name: pulumi.Input[str]
    admin_role_arns: Sequence[str]


class ClusterAccess(pulumi.ComponentResource):
    """IAM roles that may do everything. Every Kubernetes object comes after it."""

    grants: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ClusterAccess", name, {}, opts)
        self.grants = []
        for arn in args.admin_role_arns:
            role = arn.rpartition("/")[2]
            entry = aws.eks.AccessEntry(
                f"{name}-{role}",
                cluster_name=args.cluster_name,
                principal_arn=arn,
                type="STANDARD",
                opts=pulumi.ResourceOptions(parent=self),
            )
            grant = aws.eks.AccessPolicyAssociation(
                f"{name}-{role}-everything",
                cluster_name=args.cluster_name,
                principal_arn=entry.principal_arn,
                policy_arn=_ADMIN,
                access_scope={"type": "cluster"},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.grants.append(grant)
        self.register_outputs({"admin_role_arns": list(args.admin_role_arns)})
