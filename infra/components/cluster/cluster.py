"""A cluster that is ready for workloads."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from infra.components.cluster.access import ClusterAccess, ClusterAccessArgs
from infra.components.cluster.add_ons import NodeAddOns, PodAddOns
from infra.components.cluster.control_plane import ControlPlane, ControlPlaneArgs
from infra.components.cluster.kubeconfig import kubeconfig
from infra.components.custody.log_keeping import LogKeeping
from infra.components.network.network import Network
from infra.components.nodes.node_config import node_config
from infra.components.nodes.node_group import NodeGroup, NodeGroupArgs
from infra.components.nodes.node_role import NodePlace, NodeRole
from infra.components.nodes.root_volume import SYSTEM_VOLUME
from infra.settings.cluster_settings import NewClusterSettings, SystemNodeSettings


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster needs to know."""

    cluster_name: str
    settings: NewClusterSettings
    namespace: str
    """Where objects go that name no namespace."""

    region: str
    account_id: pulumi.Input[str]
    network: Network
    logs: LogKeeping
    is_protected: bool
    tags: Mapping[str, str]
    """Put on machines and disks."""


class Cluster(pulumi.ComponentResource):
    """A control plane, its first nodes and what AWS installs on them."""

    control_plane: ControlPlane
    name: pulumi.Output[str]
    node_role: NodeRole
    place: NodePlace
    """Where more nodes can join."""

    provider: k8s.Provider
    """Reaches the cluster once the access entries are there."""

    ready: list[pulumi.Resource]
    """What pods wait for: nodes, names and credentials."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:Cluster", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        plane = ControlPlaneArgs(
            cluster_name=args.cluster_name,
            version=args.settings.version,
            account_id=args.account_id,
            subnet_ids=args.network.private_subnet_ids,
            public_access_cidrs=args.settings.public_access_cidrs,
            logs=args.logs,
            is_protected=args.is_protected,
        )
        self.control_plane = ControlPlane(f"{name}-api", plane, child)
        self.name = self.control_plane.name
        access = ClusterAccess(
            f"{name}-access",
            ClusterAccessArgs(
                cluster_name=self.name, admin_role_arns=args.settings.admin_role_arns
            ),
            child,
        )
        self.provider = self._declare_provider(name, args, access)
        self.node_role = NodeRole(f"{name}-node", child)
        before_nodes = NodeAddOns(f"{name}-for-nodes", self.name, args.account_id, child)
        self.place = NodePlace(
            cluster_name=self.name,
            role_arn=self.node_role.arn,
            subnet_ids=args.network.private_subnet_ids,
            ready=[*self.node_role.grants, *before_nodes.add_ons, args.network],
            tags=args.tags,
        )
        nodes = _declare_system_nodes(
            f"{name}-system", self.place, args.settings.system_nodes, child
        )
        after_nodes = PodAddOns(f"{name}-for-pods", self.name, [nodes], child)
        self.ready = [nodes, *after_nodes.add_ons, *before_nodes.add_ons]
        self.register_outputs({"name": self.name})

    def _declare_provider(
        self, name: str, args: ClusterArgs, access: ClusterAccess
    ) -> k8s.Provider:
        plane = self.control_plane
        config = pulumi.Output.all(plane.name, plane.endpoint, plane.certificate_authority).apply(
            lambda known: kubeconfig(
                name=known[0],
                endpoint=known[1],
                certificate_authority=known[2],
                region=args.region,
            )
        )
        return k8s.Provider(
            f"{name}-objects",
            kubeconfig=config,
            namespace=args.namespace,
            enable_config_map_mutable=True,  # otherwise it would delete one that changes
            opts=pulumi.ResourceOptions(parent=self, depends_on=access.grants),
        )


def _declare_system_nodes(
    name: str, place: NodePlace, settings: SystemNodeSettings, opts: pulumi.ResourceOptions
) -> aws.eks.NodeGroup:
    group = NodeGroupArgs(
        place=place,
        ami_type="AL2023_ARM_64_STANDARD",
        instance_types=(settings.instance_type,),
        capacity_type="ON_DEMAND",
        least=settings.count,
        most=settings.count + 1,
        volume=SYSTEM_VOLUME,
        config=node_config(has_nvme=False),
    )
    return NodeGroup(name, group, opts).nodes
