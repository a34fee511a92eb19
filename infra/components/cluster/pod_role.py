"""What the pods of one service account may do in AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.permissions import Statement, policy, trust_of_account


@dataclass(frozen=True, kw_only=True)
class PodRoleArgs:
    """What a pod's role needs to know."""

    account_id: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    namespace: pulumi.Input[str]
    service_account: str
    statements: Sequence[Statement]


class PodRole(pulumi.ComponentResource):
    """A role of their own, through EKS Pod Identity. Pods must start after its association."""

    arn: pulumi.Output[str]
    association: pulumi.Resource

    def __init__(
        self, name: str, args: PodRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:compute:PodRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role", assume_role_policy=pod_trust(args.account_id), opts=child
        )
        grant = aws.iam.RolePolicy(
            f"{name}-permissions", role=role.name, policy=policy(*args.statements), opts=child
        )
        self.arn = role.arn
        self.association = aws.eks.PodIdentityAssociation(
            f"{name}-identity",
            cluster_name=args.cluster_name,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )
        self.register_outputs({"arn": self.arn})


def pod_trust(account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the document that lets pods of an account's clusters take a role."""
    return trust_of_account(
        "pods.eks.amazonaws.com", account_id, "sts:AssumeRole", "sts:TagSession"
    )
