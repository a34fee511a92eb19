"""What AWS installs into a cluster, in the order in which it can start."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.components.cluster.pod_role import pod_trust

_BEFORE_NODES = ("kube-proxy", "eks-pod-identity-agent")
_AFTER_NODES = ("coredns", "metrics-server", "eks-node-monitoring-agent")
_POD_NETWORK = {"enableNetworkPolicy": "true", "env": {"ENABLE_PREFIX_DELEGATION": "true"}}
_POD_NETWORK_POLICY = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"


class NodeAddOns(pulumi.ComponentResource):
    """What a node needs to become ready: the pods' network, services and identities."""

    add_ons: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        cluster_name: pulumi.Input[str],
        account_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("penstock:compute:NodeAddOns", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-pod-network", assume_role_policy=pod_trust(account_id), opts=child
        )
        grant = aws.iam.RolePolicyAttachment(
            f"{name}-pod-network-permissions",
            role=role.name,
            policy_arn=_POD_NETWORK_POLICY,
            opts=child,
        )
        self.add_ons = [
            _declare(f"{name}-{kind}", kind, cluster_name, child) for kind in _BEFORE_NODES
        ]
        self.add_ons.append(
            aws.eks.Addon(
                f"{name}-vpc-cni",
                cluster_name=cluster_name,
                addon_name="vpc-cni",
                configuration_values=json.dumps(_POD_NETWORK),
                pod_identity_associations=[{"role_arn": role.arn, "service_account": "aws-node"}],
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="PRESERVE",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
            )
        )
        self.register_outputs({"names": [*_BEFORE_NODES, "vpc-cni"]})


class PodAddOns(pulumi.ComponentResource):
    """What runs on nodes: until there are some, AWS would call these degraded."""

    add_ons: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        cluster_name: pulumi.Input[str],
        nodes: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("penstock:compute:PodAddOns", name, {}, opts)
        after = pulumi.ResourceOptions(parent=self, depends_on=list(nodes))
        self.add_ons = [
            _declare(f"{name}-{kind}", kind, cluster_name, after) for kind in _AFTER_NODES
        ]
        self.register_outputs({"names": list(_AFTER_NODES)})


def _declare(
    name: str, kind: str, cluster_name: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.eks.Addon:
    return aws.eks.Addon(
        name,
        cluster_name=cluster_name,
        addon_name=kind,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="PRESERVE",
        opts=opts,
    )
