"""Karpenter: starts the machine that fits when a pod waits, and ends it when it is empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.cluster.pod_role import PodRole, PodRoleArgs
from infra.components.custody.custody import Custody
from infra.components.fleet.interruption_queue import InterruptionQueue
from infra.components.fleet.karpenter_permissions import KarpenterScope
from infra.components.fleet.karpenter_pools import KarpenterPools, KarpenterPoolsArgs
from infra.components.nodes.node_role import NodeRole
from infra.components.operators.chart import KARPENTER, OperatorPlace, install
from infra.settings.instances.fleet_plan import WorkerGroup

_NAMESPACE = "kube-system"
_SERVICE_ACCOUNT = "karpenter"
_REGISTRY = "public.ecr.aws"


@dataclass(frozen=True, kw_only=True)
class KarpenterArgs:
    """What Karpenter needs to know."""

    place: OperatorPlace
    custody: Custody
    cluster_name: str
    node_role: NodeRole
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    groups: Sequence[WorkerGroup]
    is_isolated: bool
    """Whether nothing outside AWS can be reached, not even its list of prices."""

    tags: Mapping[str, str]


class Karpenter(pulumi.ComponentResource):
    """The controller, what it may do, and the nodes that it may start."""

    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:Karpenter", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        profile = aws.iam.InstanceProfile(
            f"{name}-profile", role=args.node_role.name, opts=self._child
        )
        # EKS does this for its own groups; nodes that others start are let in by name.
        entry = aws.eks.AccessEntry(
            f"{name}-nodes",
            cluster_name=args.place.cluster_name,
            principal_arn=args.node_role.arn,
            type="EC2_LINUX",
            opts=self._child,
        )
        warnings = InterruptionQueue(f"{name}-interruptions", args.custody, self._child)
        role = self._declare_role(profile, warnings)
        self.role_arn = role.arn
        release = install(
            f"{name}-release",
            KARPENTER,
            _NAMESPACE,
            _values(args, warnings),
            pulumi.ResourceOptions(parent=self, depends_on=[role.association, *args.place.ready]),
        )
        pools = KarpenterPoolsArgs(
            groups=args.groups,
            instance_profile=profile.name,
            subnet_ids=args.subnet_ids,
            security_group_id=args.security_group_id,
            tags=args.tags,
            ready=[release, entry],
        )
        KarpenterPools(f"{name}-pools", pools, self._child)
        self.register_outputs({"role_arn": self.role_arn})

    def _declare_role(
        self, profile: aws.iam.InstanceProfile, warnings: InterruptionQueue
    ) -> PodRole:
        args = self._args
        scope = KarpenterScope(
            cluster_name=args.cluster_name,
            region=args.place.region,
            account_id=args.place.account_id,
            node_role_arn=args.node_role.arn,
            instance_profile_arn=profile.arn,
        )
        pod = PodRoleArgs(
            account_id=args.place.account_id,
            cluster_name=args.place.cluster_name,
            namespace=_NAMESPACE,
            service_account=_SERVICE_ACCOUNT,
            statements=[*scope.statements(), warnings.statement_to_read()],
        )
        return PodRole(f"{self._name}-pod", pod, self._child)


def _values(args: KarpenterArgs, warnings: InterruptionQueue) -> dict[str, object]:
    registry = args.place.registry(_REGISTRY)
    return {
        "settings": {
            "clusterName": args.cluster_name,
            "interruptionQueue": warnings.name,
            "isolatedVPC": args.is_isolated,
        },
        "serviceAccount": {"name": _SERVICE_ACCOUNT},
        "controller": {
            "image": {"repository": f"{registry}/karpenter/controller"},
            # It cannot ask the metadata: its node lets no pod near.
            "env": [{"name": "AWS_REGION", "value": args.place.region}],
            "resources": {
                "requests": {"cpu": "250m", "memory": "512Mi"},
                "limits": {"memory": "1Gi"},
            },
        },
    }
