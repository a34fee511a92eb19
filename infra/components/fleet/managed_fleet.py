"""Worker nodes as managed groups that cluster-autoscaler sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.components.fleet.node_labels import GPU_TAINT, labels, taints
from infra.components.nodes.node_config import node_config
from infra.components.nodes.node_group import CapacityType, NodeGroup, NodeGroupArgs
from infra.components.nodes.node_role import NodePlace
from infra.components.nodes.root_volume import WORKER_VOLUME
from infra.settings.cluster_settings import Capacity
from infra.settings.instances.fleet_plan import WorkerGroup
from infra.settings.instances.host import Host

_TAG = "k8s.io/cluster-autoscaler"
_CAPACITY: dict[Capacity, CapacityType] = {"spot": "SPOT", "on-demand": "ON_DEMAND"}


@dataclass(frozen=True, kw_only=True)
class ManagedFleetArgs:
    """What the fleet needs to know."""

    cluster_name: str
    place: NodePlace
    groups: Sequence[WorkerGroup]


class ManagedFleet(pulumi.ComponentResource):
    """One managed node group for each planned one."""

    groups: list[NodeGroup]

    def __init__(
        self, name: str, args: ManagedFleetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ManagedFleet", name, {}, opts)
        self.groups = [
            NodeGroup(
                f"{name}-{group.name}",
                NodeGroupArgs(
                    place=args.place,
                    ami_type="AL2023_x86_64_NVIDIA" if group.host.gpu else "AL2023_x86_64_STANDARD",
                    instance_types=group.instance_types,
                    capacity_type=_CAPACITY[group.capacity],
                    least=0,
                    most=group.max_nodes,
                    volume=WORKER_VOLUME,
                    config=node_config(has_nvme=bool(group.host.nvme_gb)),
                    labels=labels(group.host),
                    taints=taints(group.host),
                    tags=scale_from_zero_tags(args.cluster_name, group.host),
                    hop_limit=2 if group.watches_spot_notice else 1,
                    kills_first=True,
                ),
                pulumi.ResourceOptions(parent=self),
            )
            for group in args.groups
        ]
        self.register_outputs({"names": [group.name for group in args.groups]})


def scale_from_zero_tags(cluster_name: str, host: Host) -> dict[str, str]:
    """Return what cluster-autoscaler must read of a group that has no node to look at."""
    template = f"{_TAG}/node-template"
    storage = f"{host.nvme_gb}G" if host.nvme_gb else f"{WORKER_VOLUME.gib}Gi"
    tags = {
        f"{_TAG}/enabled": "true",
        f"{_TAG}/{cluster_name}": "owned",
        f"{template}/resources/ephemeral-storage": storage,
        **{f"{template}/label/{key}": value for key, value in labels(host).items()},
        **{f"{template}/taint/{key}": f"{value}:NoSchedule" for key, value in taints(host).items()},
    }
    if host.gpu:
        tags[f"{template}/resources/{GPU_TAINT}"] = str(host.gpu_count)
    return tags
