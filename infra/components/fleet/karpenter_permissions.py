"""What Karpenter may do: start and end machines that carry its own tags."""

from dataclasses import dataclass

import pulumi

from infra.components.permissions import Statement, allow

_LOOK = [
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
]
_MADE = (
    "fleet",
    "instance",
    "volume",
    "network-interface",
    "launch-template",
    "spot-instances-request",
)
_GIVEN = (
    "image",
    "snapshot",
    "security-group",
    "subnet",
    "launch-template",
    "capacity-reservation",
)


@dataclass(frozen=True, kw_only=True)
class KarpenterScope:
    """Whose machines these are."""

    cluster_name: str
    region: str
    account_id: pulumi.Input[str]
    node_role_arn: pulumi.Input[str]
    instance_profile_arn: pulumi.Input[str]

    def statements(self) -> list[Statement]:
        """Allow what its controller does, but for its queue."""
        return [*self._to_start(), *self._to_end(), *self._to_look()]

    def _to_start(self) -> list[Statement]:
        owned, pool = self._tags("RequestTag")
        tagged = {"StringEquals": owned, "StringLike": pool}
        made_by = {"ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]}
        named = {"ForAllValues:StringEquals": {"aws:TagKeys": ["karpenter.sh/nodeclaim", "Name"]}}
        own, own_pool = self._tags("ResourceTag")
        return [
            allow(["ec2:RunInstances", "ec2:CreateFleet"], self._ec2(*_GIVEN)),
            allow(
                ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"],
                self._ec2(*_MADE),
                tagged,
            ),
            allow(
                "ec2:CreateTags",
                self._ec2(*_MADE),
                {"StringEquals": {**owned, **made_by}, "StringLike": pool},
            ),
            allow(
                "ec2:CreateTags",
                self._ec2("instance"),
                {"StringEquals": own, "StringLike": own_pool, **named},
            ),
            allow(
                "iam:PassRole",
                self.node_role_arn,
                {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
            ),
        ]

    def _to_end(self) -> list[Statement]:
        owned, pool = self._tags("ResourceTag")
        return [
            allow(
                ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
                self._ec2("instance", "launch-template"),
                {"StringEquals": owned, "StringLike": pool},
            )
        ]

    def _to_look(self) -> list[Statement]:
        here = {"StringEquals": {"aws:RequestedRegion": self.region}}
        cluster = pulumi.Output.concat(
            f"arn:aws:eks:{self.region}:", self.account_id, f":cluster/{self.cluster_name}"
        )
        return [
            allow(_LOOK, "*", here),  # none of these knows a resource
            allow("pricing:GetProducts", "*"),
            allow("iam:ListInstanceProfiles", self._profiles()),
            allow("iam:GetInstanceProfile", self.instance_profile_arn),
            allow("ssm:GetParameter", f"arn:aws:ssm:{self.region}::parameter/aws/service/*"),
            allow("eks:DescribeCluster", cluster),
        ]

    def _profiles(self) -> pulumi.Output[str]:
        return pulumi.Output.concat("arn:aws:iam::", self.account_id, ":instance-profile/*")

    def _tags(self, where: str) -> tuple[dict[str, str], dict[str, str]]:
        return (
            {f"aws:{where}/kubernetes.io/cluster/{self.cluster_name}": "owned"},
            {f"aws:{where}/karpenter.sh/nodepool": "*"},
        )

    def _ec2(self, *kinds: str) -> list[str]:
        # Images and snapshots may be Amazon's own.
        return [f"arn:aws:ec2:{self.region}:*:{kind}/*" for kind in kinds]
