"""Which nodes Karpenter may start, in its own objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from infra.components.fleet.node_labels import GPU_TAINT, labels, taints
from infra.components.nodes.node_config import mime, node_config
from infra.components.nodes.root_volume import DEVICE, WORKER_VOLUME
from infra.settings.instances.fleet_plan import WorkerGroup

_IMAGES = "al2023@v20260724"
"""Pinned: a newer image would replace every node that does not work."""


@dataclass(frozen=True, kw_only=True)
class KarpenterPoolsArgs:
    """What the pools need to know."""

    groups: Sequence[WorkerGroup]
    instance_profile: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    tags: Mapping[str, str]
    """Put on machines and disks."""

    ready: Sequence[pulumi.Resource]
    """What must be there as long as they are: Karpenter, which ends their nodes."""


class KarpenterPools(pulumi.ComponentResource):
    """A NodePool and an EC2NodeClass for each planned group of nodes."""

    def __init__(
        self, name: str, args: KarpenterPoolsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:KarpenterPools", name, {}, opts)
        after = pulumi.ResourceOptions(parent=self, depends_on=list(args.ready))
        for group in args.groups:
            node_class = k8s.apiextensions.CustomResource(
                f"{name}-{group.name}-class",
                api_version="karpenter.k8s.aws/v1",
                kind="EC2NodeClass",
                metadata={"name": group.name},
                spec=_class_spec(group, args),
                opts=after,
            )
            k8s.apiextensions.CustomResource(
                f"{name}-{group.name}-pool",
                api_version="karpenter.sh/v1",
                kind="NodePool",
                metadata={"name": group.name},
                spec=_pool_spec(group, args.groups),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[node_class]),
            )
        self.register_outputs({"names": [group.name for group in args.groups]})


def _class_spec(group: WorkerGroup, args: KarpenterPoolsArgs) -> dict[str, Any]:
    has_nvme = bool(group.host.nvme_gb)
    disk = {
        "volumeType": "gp3",
        "volumeSize": f"{WORKER_VOLUME.gib}Gi",
        "iops": WORKER_VOLUME.iops,
        "throughput": WORKER_VOLUME.mib_per_second,
        "encrypted": True,
        "deleteOnTermination": True,
    }
    spec: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": _IMAGES}],
        "instanceProfile": args.instance_profile,
        "subnetSelectorTerms": [{"id": subnet_id} for subnet_id in args.subnet_ids],
        "securityGroupSelectorTerms": [{"id": args.security_group_id}],
        "blockDeviceMappings": [{"deviceName": DEVICE, "rootVolume": True, "ebs": disk}],
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 2 if group.watches_spot_notice else 1,
        },
        "userData": mime(node_config(has_nvme=has_nvme)),
        "tags": {**args.tags, "Name": group.name},
    }
    # Karpenter must know of it too: it plans with the disks' size.
    return {**spec, "instanceStorePolicy": "RAID0"} if has_nvme else spec


def _pool_spec(group: WorkerGroup, groups: Sequence[WorkerGroup]) -> dict[str, Any]:
    host = group.host
    limits = {"cpu": str(group.max_nodes * host.vcpu)}
    if host.gpu:
        limits[GPU_TAINT] = str(group.max_nodes * host.gpu_count)
    return {
        "template": {
            "metadata": {"labels": _free_labels(group)},
            "spec": {
                "nodeClassRef": {
                    "group": "karpenter.k8s.aws",
                    "kind": "EC2NodeClass",
                    "name": group.name,
                },
                "requirements": [
                    _one_of("node.kubernetes.io/instance-type", group.instance_types),
                    _one_of("karpenter.sh/capacity-type", [group.capacity]),
                ],
                "taints": [
                    {"key": key, "value": value, "effect": "NoSchedule"}
                    for key, value in taints(host).items()
                ],
                # A busy worker is not ended because its node is old.
                "expireAfter": "Never",
            },
        },
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "10m"},
        "limits": limits,
        # What is planned earlier is tried earlier.
        "weight": len(groups) - list(groups).index(group),
    }


def _free_labels(group: WorkerGroup) -> dict[str, str]:
    # Karpenter keeps AWS's own label domains to itself.
    return {
        key: value
        for key, value in labels(group.host).items()
        if not key.partition("/")[0].endswith("k8s.amazonaws.com")
    }


def _one_of(key: str, values: Sequence[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}
