"""The Kubernetes API, run by AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.custody.customer_key import CustomerKey, CustomerKeyArgs
from infra.components.custody.log_keeping import LogKeeping
from infra.components.permissions import trust
from infra.settings.network_settings import SERVICE_CIDR

_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What a control plane needs to know."""

    account_id: pulumi.Input[str]
    cluster_name: str
    version: str
    subnet_ids: Sequence[pulumi.Input[str]]
    public_access_cidrs: Sequence[str]
    logs: LogKeeping
    is_protected: bool
    """Whether the cluster and the key of its secrets refuse to be deleted."""


class ControlPlane(pulumi.ComponentResource):
    """An EKS cluster that only access entries open."""

    cluster: aws.eks.Cluster
    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    """Of the API and of every node."""

    def __init__(
        self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ControlPlane", name, {}, opts)
        self._name, self._args = name, args
        child = pulumi.ResourceOptions(parent=self)
        secrets = CustomerKeyArgs(
            account_id=args.account_id,
            alias=f"eks-{args.cluster_name}",
            description=f"Secrets in the etcd of cluster {args.cluster_name}",
            is_protected=args.is_protected,
        )
        # Not that of the stack's data: EKS never takes another, and is lost without it.
        key = CustomerKey(f"{name}-secrets", secrets, child)
        # EKS makes the group itself if it is not there, and then keeps lines for ever.
        logs = args.logs.declare_group(
            f"{name}-log", child, log_name=f"/aws/eks/{args.cluster_name}/cluster"
        )
        role, grant = self._declare_role()
        self.cluster = aws.eks.Cluster(
            f"{name}-cluster",
            name=args.cluster_name,
            role_arn=role.arn,
            version=args.version,
            vpc_config={
                "subnet_ids": args.subnet_ids,
                "endpoint_private_access": True,
                "endpoint_public_access": True,
                "public_access_cidrs": list(args.public_access_cidrs),
            },
            access_config={
                "authentication_mode": "API",
                "bootstrap_cluster_creator_admin_permissions": False,
            },
            encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]},
            kubernetes_network_config={"service_ipv4_cidr": SERVICE_CIDR},
            enabled_cluster_log_types=_LOGS,
            upgrade_policy={"support_type": "STANDARD"},
            bootstrap_self_managed_addons=False,
            zonal_shift_config={"enabled": True},
            deletion_protection=args.is_protected,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant, logs]),
        )
        self.name, self.endpoint = self.cluster.name, self.cluster.endpoint
        self.certificate_authority = self.cluster.certificate_authority.data.apply(str)
        self.security_group_id = self.cluster.vpc_config.cluster_security_group_id.apply(str)
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _declare_role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicyAttachment]:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{self._name}-role",
            assume_role_policy=trust("eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession"),
            opts=child,
        )
        grant = aws.iam.RolePolicyAttachment(
            f"{self._name}-permissions",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy",
            opts=child,
        )
        return role, grant
