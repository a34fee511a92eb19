"""Adds and removes nodes of managed groups as pods wait and go."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import yaml

from infra.components.cluster.pod_role import PodRole, PodRoleArgs
from infra.components.operators.chart import CLUSTER_AUTOSCALER, OperatorPlace, install
from infra.components.permissions import Statement, allow
from infra.settings.cluster_settings import Capacity

_NAMESPACE = "kube-system"
_SERVICE_ACCOUNT = "cluster-autoscaler"
_REGISTRY = "registry.k8s.io"
_LOOK = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
]
_SIZE = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]


@dataclass(frozen=True, kw_only=True)
class ClusterAutoscalerArgs:
    """What the autoscaler needs to know."""

    place: OperatorPlace
    cluster_name: str
    version: str
    """Of Kubernetes: the autoscaler simulates its scheduler."""

    capacity: Sequence[Capacity]
    """What to try first."""

    grace_seconds: int
    """How long the longest drain of a worker takes."""


class ClusterAutoscaler(pulumi.ComponentResource):
    """cluster-autoscaler over the groups that are tagged for it."""

    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: ClusterAutoscalerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:ClusterAutoscaler", name, {}, opts)
        role = PodRole(
            f"{name}-pod",
            PodRoleArgs(
                account_id=args.place.account_id,
                cluster_name=args.place.cluster_name,
                namespace=_NAMESPACE,
                service_account=_SERVICE_ACCOUNT,
                statements=_statements(args),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.role_arn = role.arn
        install(
            f"{name}-release",
            CLUSTER_AUTOSCALER,
            _NAMESPACE,
            _values(args),
            pulumi.ResourceOptions(parent=self, depends_on=[role.association, *args.place.ready]),
        )
        self.register_outputs({"role_arn": self.role_arn})


def _statements(args: ClusterAutoscalerArgs) -> list[Statement]:
    owned = {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{args.cluster_name}": "owned"}
    groups = pulumi.Output.concat(
        f"arn:aws:autoscaling:{args.place.region}:", args.place.account_id, ":autoScalingGroup:*"
    )
    managed = pulumi.Output.concat(
        f"arn:aws:eks:{args.place.region}:",
        args.place.account_id,
        f":nodegroup/{args.cluster_name}/*",
    )
    return [
        allow(_LOOK, "*"),  # none of these knows a resource
        allow("eks:DescribeNodegroup", managed),
        allow(_SIZE, groups, {"StringEquals": owned}),
    ]


def _values(args: ClusterAutoscalerArgs) -> dict[str, object]:
    registry = args.place.registry(_REGISTRY)
    return {
        "autoDiscovery": {"clusterName": args.cluster_name},
        "awsRegion": args.place.region,
        "image": {
            "repository": f"{registry}/autoscaling/cluster-autoscaler",
            "tag": f"v{args.version}.0",
        },
        "rbac": {"serviceAccount": {"name": _SERVICE_ACCOUNT}},
        "expanderPriorities": _priorities(args.capacity),
        "extraArgs": {
            "expander": "priority,least-waste",
            # Large GPU machines take long to come; then the next capacity is tried.
            "max-node-provision-time": "20m",
            # The default of 10 minutes kills what drains longer.
            "max-graceful-termination-sec": args.grace_seconds,
            "scale-down-unneeded-time": "10m",
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "1Gi"},
        },
        "containerSecurityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def _priorities(capacity: Sequence[Capacity]) -> str:
    """Return regular expressions of group names, by a number that is higher the earlier."""
    # As text: the chart would quote the numbers, and the autoscaler wants numbers.
    return yaml.safe_dump(
        {10 * (len(capacity) - place): [f".*-{kind}-.*"] for place, kind in enumerate(capacity)}
    )
