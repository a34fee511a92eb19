"""Machines of one kind that EKS keeps and an autoscaler may count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws
from pulumi_aws.eks.outputs import NodeGroupResource

from infra.components.nodes.node_config import user_data
from infra.components.nodes.node_role import NodePlace
from infra.components.nodes.root_volume import DEVICE, RootVolume

CapacityType = Literal["SPOT", "ON_DEMAND"]


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """What a group needs to know."""

    place: NodePlace
    ami_type: str
    instance_types: tuple[str, ...]
    capacity_type: CapacityType
    least: int
    most: int
    volume: RootVolume
    config: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Mapping[str, str] = field(default_factory=dict)
    """Key to value; none of them lets a pod in that does not tolerate it."""

    tags: Mapping[str, str] = field(default_factory=dict)
    """Of the auto scaling group, which an autoscaler reads; with any, it sizes the group."""

    hop_limit: int = 1
    """1 keeps the node's own credentials from the pods; 2 lets pods ask the metadata."""

    kills_first: bool = False
    """Whether an update ends a node before it starts the next: where machines are scarce."""


class NodeGroup(pulumi.ComponentResource):
    """A managed node group with its launch template."""

    auto_scaling_group: pulumi.Output[str]
    nodes: aws.eks.NodeGroup

    def __init__(
        self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:NodeGroup", name, {}, opts)
        self._name, self._args = name, args
        template = self._declare_template()
        is_autoscaled = bool(args.tags)
        self.nodes = aws.eks.NodeGroup(
            f"{name}-nodes",
            cluster_name=args.place.cluster_name,
            node_role_arn=args.place.role_arn,
            subnet_ids=args.place.subnet_ids,
            ami_type=args.ami_type,
            capacity_type=args.capacity_type,
            instance_types=list(args.instance_types),
            launch_template={
                "id": template.id,
                "version": template.latest_version.apply(lambda version: str(int(version))),
            },
            scaling_config={
                "min_size": args.least,
                "desired_size": args.least,
                "max_size": args.most,
            },
            labels=args.labels,
            taints=[
                {"key": key, "value": value, "effect": "NO_SCHEDULE"}
                for key, value in args.taints.items()
            ],
            update_config={
                "max_unavailable": 1,
                "update_strategy": "MINIMAL" if args.kills_first else "DEFAULT",
            },
            node_repair_config={"enabled": True},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=args.place.ready,
                ignore_changes=["scalingConfig.desiredSize"] if is_autoscaled else [],
            ),
        )
        self.auto_scaling_group = self.nodes.resources.apply(_auto_scaling_group)
        self._declare_tags()
        self.register_outputs({"auto_scaling_group": self.auto_scaling_group})

    def _declare_template(self) -> aws.ec2.LaunchTemplate:
        volume = self._args.volume
        return aws.ec2.LaunchTemplate(
            f"{self._name}-template",
            update_default_version=True,
            user_data=user_data(dict(self._args.config)),
            metadata_options={
                "http_tokens": "required",
                "http_endpoint": "enabled",
                "http_put_response_hop_limit": self._args.hop_limit,
            },
            block_device_mappings=[
                {
                    "device_name": DEVICE,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": volume.gib,
                        "iops": volume.iops,
                        "throughput": volume.mib_per_second,
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            tag_specifications=[
                {"resource_type": kind, "tags": {**self._args.place.tags, "Name": self._name}}
                for kind in ("instance", "volume")
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _declare_tags(self) -> None:
        # The tags of a managed group do not reach its auto scaling group.
        for number, (key, value) in enumerate(self._args.tags.items()):
            aws.autoscaling.Tag(
                f"{self._name}-tag-{number}",
                autoscaling_group_name=self.auto_scaling_group,
                tag={"key": key, "value": value, "propagate_at_launch": False},
                opts=pulumi.ResourceOptions(parent=self),
            )


def _auto_scaling_group(made: Sequence[NodeGroupResource]) -> str:
    (group,) = made[0].autoscaling_groups or ()
    return group.name or ""
